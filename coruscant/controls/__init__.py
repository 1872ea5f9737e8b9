"""What people pull in an emergency: pauses of claims or activations, no new orders to a market, its prices set aside.

A control is a row with an end. `in_force` says which holds, `pull` begins, extends and ends them, and the apps above
act on it (docs/decisions/0029). It imports none of them.
"""
