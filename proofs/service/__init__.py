"""The whole service as processes, for proofs that take it apart: used by the system tests and the kill matrix."""
