"""Planted bugs, each of which the simulation or a test must notice: `make mutants`.

It proves that the other proofs and the tests would notice what careful people get wrong in a system like this.
"""
