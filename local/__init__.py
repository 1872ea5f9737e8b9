"""The whole service on one machine, without Docker: its servers, simulated markets and clients, and the demo.

Tests, proofs and benchmarks use it; the product never imports it. `make demo` runs it.
"""
