"""Deterministic simulation of the real services: a seed decides, and replays, all that happens."""
