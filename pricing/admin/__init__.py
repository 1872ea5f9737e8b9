"""The pages of the pricing app in the admin; importing them registers them."""

from pricing.admin import guard, price, quotes  # noqa: F401
