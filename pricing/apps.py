"""The pricing app."""

from importlib import import_module

from django.apps import AppConfig


class PricingConfig(AppConfig):
    name = "pricing"
    verbose_name = "Prices"

    def ready(self) -> None:
        """Register the system check, and the change of the guard."""
        import_module("pricing.checks")
