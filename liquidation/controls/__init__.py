"""What controls do to liquidations: claims that a pause withholds are listed, and prices set aside may claim loans.

Controls themselves are in `coruscant/controls/`.
"""
