"""A worker that was frozen for longer than its lease must change nothing when it goes on."""

import time
from typing import Any

from django.db.models import Model

from coruscant.history.records import audited_models, history_of
from proofs.kill_matrix.bank import Bank
from proofs.service.running_service import require

#: A thawed worker has gone on within this long, whatever it does.
WATCHED_SECONDS = 6


def changes_nothing_after(bank: Bank) -> None:
    """Thaw the frozen process and see that no row of the business changes and no order is sent.

    An event may be sent once more, byte for byte: that is what at least once means.
    """
    rows, orders = _rows(), _orders(bank)
    bank.thaw()
    end = time.monotonic() + WATCHED_SECONDS
    while time.monotonic() < end:
        bank.look()
        time.sleep(0.1)
    changed = [name for name, before in rows.items() if _rows()[name] != before]
    require(not changed, f"the worker changed {', '.join(changed)} after it was continued")
    sent = [order for order in _orders(bank) if order not in orders]
    require(not sent, f"the worker sent {sent} after it was continued")


def _rows() -> dict[str, list[Any]]:
    """Every row of every audited table and its history, leases and due times included."""
    audited = audited_models()
    models: list[type[Model]] = [*audited, *map(history_of, audited)]
    return {model.__name__: list(model._base_manager.order_by("pk").values_list()) for model in models}


def _orders(bank: Bank) -> list[Any]:
    return [delivery for market in bank.markets for delivery in market.deliveries()]
