"""A simulated market: it makes prices, publishes them, trades, and fails as real markets do."""
