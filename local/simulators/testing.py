"""Run a simulator inside a test: in a thread with an event loop of its own, on a free port.

with running_market("mos_espa") as market:
    market.next_faults(["dropped_after_trading", "refusal"])
    requests.post(market.url + "/orders", json=…)
    assert market.orders()[0]["units"] == "40"
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Protocol, TypeVar, cast

import requests

from local.simulators.exact import read_json, write_json
from local.simulators.market.script import read_script
from local.simulators.market.server import MarketOptions, MarketServer
from local.simulators.otc.server import OtcOptions, OtcServer

T = TypeVar("T")

_PATIENCE_SECONDS = 10.0


class _Server(Protocol):
    async def start(self) -> int: ...

    async def stop(self) -> None: ...


class _LoopThread:
    """An event loop in a thread."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="simulator", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_PATIENCE_SECONDS)

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_PATIENCE_SECONDS)
        self._loop.close()


@contextmanager
def running(make: Callable[[], _Server]) -> Iterator[int]:
    """Run a server inside an event loop of its own; yield its port."""
    thread = _LoopThread()

    async def made() -> _Server:
        return make()

    try:
        server = thread.run(made())
        try:
            yield thread.run(server.start())
        finally:
            thread.run(server.stop())
    finally:
        thread.close()


class RunningMarket:
    """A market under test, controlled and read through its own HTTP API."""

    def __init__(self, url: str) -> None:
        """Control the market at this URL."""
        self.url = url
        self._session = requests.Session()

    def orders(self, request_id: str | None = None) -> list[dict[str, Any]]:
        """Traded orders, oldest first; figures are plain decimal strings."""
        query = "" if request_id is None else f"?requestId={request_id}"
        return cast("list[dict[str, Any]]", self._call("GET", f"orders{query}")["orders"])

    def deliveries(self, request_id: str | None = None) -> list[dict[str, Any]]:
        """Every order request that arrived, with its outcome, oldest first."""
        query = "" if request_id is None else f"?requestId={request_id}"
        return cast("list[dict[str, Any]]", self._call("GET", f"deliveries{query}")["deliveries"])

    def statement(self, since: str | None = None, form: str = "csv") -> str:
        """What the market traded since an RFC 3339 time, as text: `csv` or `jsonl`."""
        query = {"format": form} | ({} if since is None else {"since": since})
        answer = self._session.get(f"{self.url}/simulator/statement", params=query, timeout=_PATIENCE_SECONDS)
        if answer.status_code != 200:
            raise ValueError(answer.text)
        return answer.text

    def counters(self) -> dict[str, int]:
        """How many order requests had which outcome; outcomes that never happened are left out."""
        return {name: int(count) for name, count in self.state()["counters"].items()}

    def state(self) -> dict[str, Any]:
        """Scenario, price, faults and counters; JSON numbers come as Decimals."""
        return self._call("GET", "state")

    def next_faults(self, faults: Sequence[str | None]) -> None:
        """Set what happens to the next order requests, whatever their requestId; None or "none" is a correct answer."""
        self.settings(nextFaults=list(faults))

    def every_order_faults(self, faults: Sequence[str | None]) -> None:
        """Set what happens to the first, second, … delivery of every requestId; later ones fail at random."""
        self.settings(everyOrderFaults=list(faults))

    def set_faults(self, share: Decimal | str, kinds: Sequence[str] = ()) -> None:
        """Fail this share of requests at random, by these kinds of fault or by all."""
        self.settings(faultShare=str(share), **({"faultKinds": list(kinds)} if kinds else {}))

    def set_down(self, down: bool) -> None:
        """Drop every order connection without reading it; the control API stays up."""
        self.settings(down=down)

    def set_price(self, price: Any) -> dict[str, Any]:
        """Fix the price from now on, and publish it: a price, a step, or a list of steps.

        Returns once it is published: `{"event": …, "messageId": …}`.
        """
        return self._call("PUT", "price", price)

    def publish(self) -> dict[str, Any]:
        """Publish once more, at once, whether publishing is paused or not."""
        return self._call("POST", "price-events")

    def settings(self, **changes: Any) -> dict[str, Any]:
        """Change settings by their names in the control API; raises ValueError for one that is not valid."""
        return self._call("PUT", "settings", changes)

    def close(self) -> None:
        """Close connections to the market."""
        self._session.close()

    def _call(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        data = None if body is None else write_json(body)
        url = f"{self.url}/simulator/{path}"
        answer = self._session.request(method, url, data=data, timeout=_PATIENCE_SECONDS)
        found = cast("dict[str, Any]", read_json(answer.content))
        if answer.status_code != 200:
            raise ValueError(found.get("error", answer.text))
        return found


@contextmanager
def running_market(
    market: str = "mos_espa", *, price: Any = "50", sns_endpoint: str | None = None, **options: Any
) -> Iterator[RunningMarket]:
    """Run a market in which nothing is random unless asked for: a fixed price, no faults.

    Without `sns_endpoint` nothing is published. With one, `paused=True` publishes only what `set_price`
    and `publish` ask for. `price` is any price script; with None the price follows `scenario`. Other options, such as
    `fault_share`, `partial_share`, `seed` or `latency_seconds`, are those of MarketOptions.
    """
    exact: dict[str, Any] = {
        "fault_share": Decimal(0),
        "partial_share": Decimal(0),
        "price_fault_share": Decimal(0),
        "other_item_share": Decimal(0),
        "script": None if price is None else read_script(price),
    }
    chosen = MarketOptions(market=market, sns_endpoint=sns_endpoint, **(exact | options))
    with running(lambda: MarketServer(chosen)) as port:
        running_one = RunningMarket(f"http://127.0.0.1:{port}")
        try:
            yield running_one
        finally:
            running_one.close()


@contextmanager
def running_otc(api: str, *, sns_endpoint: str | None = None, **options: Any) -> Iterator[str]:
    """Run the OTC service against a loan API; yield the URL of its own API.

    Options, such as `rate`, `max_loans` or `pace`, are those of OtcOptions. Every run that is given an
    endpoint should have a `queue` of its own, or runs take each other's events.
    """
    chosen = OtcOptions(api=api, sns_endpoint=sns_endpoint, **options)
    with running(lambda: OtcServer(chosen)) as port:
        yield f"http://127.0.0.1:{port}"
