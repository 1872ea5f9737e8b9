"""Hostile input for everything that reads what others wrote: the HTTP API, the price feeds, the markets' answers.

It proves that no input breaks a reader or is misread, and that each request has one effect: `make fuzz`.
"""
