"""Two simulated markets and a simulated OTC service, for the demo, tests, proofs and benchmarks.

Nothing here imports the liquidation service. The contracts are written down a second time on purpose: a mistake in
reading them on one side then shows on the other.
"""
