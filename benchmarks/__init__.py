"""What the service costs, measured on the embedded stack with durability on, each figure beside its yardstick."""
