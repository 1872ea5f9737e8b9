"""The liquidation app: it listens for new quotes and rings the sweep."""

from typing import Any

from django.apps import AppConfig


class LiquidationConfig(AppConfig):
    """Django's entry for the app."""

    name = "liquidation"
    verbose_name = "Liquidations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect pricing's announcement to the sweep: upstream never imports downstream."""
        from pricing.signals import quotes_recorded  # noqa: PLC0415  (apps must be ready)

        quotes_recorded.connect(_ring_sweep, dispatch_uid="liquidation.sweep")


def _ring_sweep(**_signal: Any) -> None:
    from coruscant import doorbell  # noqa: PLC0415
    from liquidation import chains  # noqa: PLC0415

    doorbell.ring(chains.sweep())
