"""The whole service on one machine, without Docker: its servers, simulated markets and clients, and the demo.

Tests, proofs and benchmarks import it; the product never does. `make demo` runs it; README.md says more.
"""
