"""Deterministic simulation: the real services on a real database; a seed decides everything else, and replays it.

It proves that every promise holds under any interleaving of crashes, lost connections, lost and doubled messages, bad
markets and clock steps. `make simulate SEEDS=500` plays so many schedules.
"""
