"""Planted bugs, each of which the simulation or a test must notice: `make mutants`."""
