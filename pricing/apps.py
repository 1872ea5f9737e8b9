"""The pricing app."""

from django.apps import AppConfig


class PricingConfig(AppConfig):
    """Django's entry for the app."""

    name = "pricing"
    verbose_name = "Prices"
