"""The pages of the loans app in the admin; importing them registers them."""

from loans.admin import credentials, events, loans, records, terms  # noqa: F401
