"""The pages of the liquidation app in the admin; importing them registers them."""

from liquidation.admin import claim_failures, events, liquidations, orders, venues

__all__ = ["claim_failures", "events", "liquidations", "orders", "venues"]
