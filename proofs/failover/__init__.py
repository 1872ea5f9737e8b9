"""Proves that the database may go in the middle of a crash of prices: a standby is promoted, or a backup restored.

The markets' own logs are the judges. `make failover`; see docs/reliability.md. Only tests import it.
"""
