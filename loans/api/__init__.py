"""The HTTP API of loans: applications, postings of collateral, and the state of every loan.

A view parses, calls one service or selector of `loans`, and answers. Only `coruscant.urls` imports it.
"""
