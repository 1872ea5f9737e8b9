"""From a market's queue into the database: one file a step."""
