"""The liquidation app."""

from django.apps import AppConfig


class LiquidationConfig(AppConfig):
    """Django's entry for the app."""

    name = "liquidation"
    verbose_name = "Liquidations"
    default_auto_field = "django.db.models.BigAutoField"
