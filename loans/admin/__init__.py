"""The pages of the loans app in the admin; importing them registers them."""

from loans.admin import clients, loans

__all__ = ["clients", "loans"]
