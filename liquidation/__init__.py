"""From a price to the published event: evaluate loans, claim the breached ones, sell their collateral, publish.

It imports loans, pricing and coruscant; of the product, only `coruscant/urls.py` may import it. Its command is
`manage.py check_invariants`, which looks for rows that break a promise.
"""
