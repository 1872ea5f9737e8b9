"""Proofs that the service keeps its promises under faults; README.md says what each one proves, and its command.

Only tests import it. `make proofs-quick` runs a share of each.
"""
