"""The pages of the pricing app in the admin; importing them registers them."""

from pricing.admin import feeds, price, quotes, rejected_messages

__all__ = ["feeds", "price", "quotes", "rejected_messages"]
