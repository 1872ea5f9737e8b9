"""What the markets say they traded, compared with the books: daily, and after a restore.

`statement` reads a market's statement, `compare` finds the differences and `attribution` their loans; a person adopts
or explains each (`differences`). Once statements cover the gap of a restore, `release` lets the sales go on
(docs/decisions/0025).
"""
