"""The liquidation app: when new quotes are recorded, it enqueues an evaluation."""

from typing import Any

from django.apps import AppConfig


class LiquidationConfig(AppConfig):
    """Django's entry for the app."""

    name = "liquidation"
    verbose_name = "Liquidations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen for new quotes, and say what the books have lost: neither app may import this one."""
        from coruscant.restores import identity  # noqa: PLC0415  (apps must be ready)
        from liquidation import last_send  # noqa: PLC0415
        from pricing.signals import quotes_recorded  # noqa: PLC0415

        identity.witnesses.append(last_send.missing)
        quotes_recorded.connect(_enqueue_evaluation, dispatch_uid="liquidation.evaluate_loans")


def _enqueue_evaluation(**_signal: Any) -> None:
    from coruscant import enqueue  # noqa: PLC0415
    from liquidation import chains  # noqa: PLC0415

    enqueue.now(chains.evaluation())
