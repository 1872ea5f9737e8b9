"""The liquidation app: when new quotes are recorded, it enqueues an evaluation."""

from typing import Any

from django.apps import AppConfig

from coruscant import enqueue
from liquidation import chains
from pricing.signals import quotes_recorded


class LiquidationConfig(AppConfig):
    name = "liquidation"
    verbose_name = "Liquidations"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from coruscant.restores import identity  # noqa: PLC0415  (models must be loaded)
        from liquidation import last_send  # noqa: PLC0415

        identity.witnesses.append(last_send.missing)
        # A signal, since pricing must not import liquidation.
        quotes_recorded.connect(_enqueue_evaluation, dispatch_uid="liquidation.evaluate_loans")


def _enqueue_evaluation(**_signal: Any) -> None:
    enqueue.now(chains.task("liquidation.evaluate_loans"))
