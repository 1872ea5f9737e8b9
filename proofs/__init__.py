"""Proofs that the service keeps its promises under faults; README.md says what each one proves, and its command.

Nothing imports it, except tests.
"""
