"""A market that makes prices, publishes them, trades, and fails as real markets do."""
