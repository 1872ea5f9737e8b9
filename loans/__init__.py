"""Loans against collateral: applications, postings, activation, margin calls, and the HTTP API that shows them.

May import `pricing` and `coruscant`. `liquidation` imports it; of the API only `coruscant.urls` is a user.
`make schema` writes the API's schema, docs/openapi.yaml; `manage.py create_api_credential CLIENT` lets a client in.
"""
