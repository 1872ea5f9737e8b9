"""The liquidation app: when new quotes are recorded, it enqueues an evaluation."""

from typing import Any

from django.apps import AppConfig


class LiquidationConfig(AppConfig):
    """Django's entry for the app."""

    name = "liquidation"
    verbose_name = "Liquidations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for new quotes. A signal, since pricing must not import liquidation."""
        from pricing.signals import quotes_recorded  # noqa: PLC0415  (apps must be ready)

        quotes_recorded.connect(_enqueue_evaluation, dispatch_uid="liquidation.evaluate_loans")


def _enqueue_evaluation(**_signal: Any) -> None:
    from coruscant import enqueue  # noqa: PLC0415
    from liquidation import chains  # noqa: PLC0415

    enqueue.now(chains.evaluation())
