"""The pages of the liquidation app in the admin; importing them registers them."""

from liquidation.admin import attention, liquidations, orders

__all__ = ["attention", "liquidations", "orders"]
