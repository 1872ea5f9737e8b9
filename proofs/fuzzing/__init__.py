"""Hostile input for everything that reads what others wrote: the HTTP API, the price feeds, the markets' answers."""
