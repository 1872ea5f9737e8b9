"""The whole service as real processes, for the proofs and the system tests; no proof by itself."""
