"""A model of the sale's protocol, small enough that every state of it can be looked at: `make model`.

It proves that lease, fence, counted sends, verdicts, ids and the rules after a restore sell nothing twice, whatever the
order of crashes, stalls, late requests, lying markets and one lossy restore; and that none of the rules can be left
out. README.md says what is modelled, what is assumed, and what was found.
"""
