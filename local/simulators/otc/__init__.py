"""The bank's OTC service with its clients, and its ears for liquidation events and loan events."""
