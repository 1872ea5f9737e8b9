"""The pages of the loans app in the admin; importing them registers them."""

from loans.admin import accepted_requests, credentials, loans, margin_calls, postings

__all__ = ["accepted_requests", "credentials", "loans", "margin_calls", "postings"]
