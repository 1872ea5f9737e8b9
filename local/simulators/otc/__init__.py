"""The bank's OTC service with its clients, and its ear for liquidation events."""
