"""The outside world for demos, tests and benchmarks: two markets and the OTC service.

Nothing here imports the liquidation service: what is written twice is written twice on purpose,
so that a misreading of a contract on one side shows on the other.
"""
