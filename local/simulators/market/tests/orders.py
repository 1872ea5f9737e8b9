"""Sending orders to a market under test."""

from typing import Any

import requests

from local.simulators.testing import RunningMarket

MOS_ESPA = {"type": "market", "side": "sell", "asset": "BESKAR", "currency": "GC"}
BLACK_SPIRE = {"side": "SELL", "item": "STEEL:MANDALORIAN"}


def sell(market: RunningMarket, request_id: str, quantity: str = "40", timeout: float = 5) -> requests.Response:
    """Sell at Mos Espa."""
    order = {"requestId": request_id, **MOS_ESPA, "quantity": quantity}
    return requests.post(f"{market.url}/orders", json=order, timeout=timeout, allow_redirects=False)


def sell_at_black_spire(market: RunningMarket, request_id: str, amount: str = "40") -> requests.Response:
    """Sell at Black Spire Outpost; the amount goes into the JSON as it is written here."""
    raw = f'{{"requestId": "{request_id}", "side": "SELL", "item": "STEEL:MANDALORIAN", "amount": {amount}}}'
    headers = {"Content-Type": "application/json"}
    url = f"{market.url}/market/orders"
    return requests.post(url, data=raw, headers=headers, timeout=5, allow_redirects=False)


def refused(response: requests.Response) -> Any:
    """The reason of a refusal by Mos Espa; an AssertionError if it is none."""
    body = response.json()
    assert body["success"] is False
    return body["reason"]
