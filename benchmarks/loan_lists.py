"""f: pages of the list of loans, at any depth of the largest bank, against a bare view's page."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote

import requests

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Figure, Measured, percentile
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from local.stack.ports import LOOPBACK
from pricing.markets import Market

#: Times the bare view's page, and times the service's first page.
_MOST, _MOST_DEEPER = 4, 2


def measure(stage: Stage, scale: Scale) -> Measured:
    """p99 of pages of 50 loans: the first and one far down, of all loans and of the active ones."""
    loans = scale.largest
    open_bank(stage, loans)
    prices.record_past(prices.SAFE)
    pages: dict[str, Callable[[int], str]] = {
        "first page": lambda _: "/loans",
        "a page deep inside": lambda number: f"/loans?cursor={_cursor(loans // 2 - number)}",
        "first active": lambda _: "/loans?status=active",
        "active, deep inside": lambda number: f"/loans?status=active&cursor={_cursor(loans // 4 - number)}",
    }
    found: dict[str, list[float]] = {name: [] for name in ("bare", *pages)}

    def take(name: str, address: str, path: Callable[[int], str]) -> None:
        waits = list(_waits(session, address, path, scale.list_requests))
        found[name].append(1000 * percentile(waits, 0.99))

    with (
        stage.serving("coruscant.wsgi") as port,
        stage.serving("benchmarks.bare.wsgi") as bare_port,
        requests.Session() as session,
    ):
        service, bare = (f"http://{LOOPBACK}:{number}" for number in (port, bare_port))
        eventually(lambda: _answers(session, f"{service}/health/ready"), "the API answers", 60)
        eventually(lambda: _answers(session, f"{bare}/loans"), "the bare view answers", 60)
        for _ in range(scale.runs):
            take("bare", bare, lambda _: "/loans")
            for name, path in pages.items():
                prices.record(prices.SAFE, *Market)  # as fresh as they are in service
                take(name, service, path)
    yardstick = Figure(what="p99 of a bare view's page", runs=tuple(found.pop("bare")), unit="ms")
    figures = [
        Figure(what=f"p99 of {name}, {loans:,} loans", runs=tuple(runs), unit="ms").against(yardstick).at_most(_MOST)
        for name, runs in found.items()
    ]
    slowest = max(figures, key=lambda figure: figure.value)
    deeper = Figure(what="the slowest of them", runs=slowest.runs, unit="ms").against(figures[0])
    return Measured(
        figures=(*figures, deeper.at_most(_MOST_DEEPER)),
        notes=("Pages of 50. Whole HTTP calls, as a client sees them, one after another over one connection.",),
    )


def _waits(session: requests.Session, address: str, path: Callable[[int], str], count: int) -> Iterator[float]:
    """Seconds of each of so many calls, after a few to warm up."""
    for number in range(-5, count):
        began = time.perf_counter()
        answer = session.get(address + path(number), timeout=30)
        took = time.perf_counter() - began
        assert answer.status_code == 200 and answer.json()["results"], answer.text  # noqa: PT018
        if number >= 0:
            yield took


def _cursor(position: int) -> str:
    return quote(b64encode(f"p={max(2, position)}".encode()).decode())


def _answers(session: requests.Session, url: str) -> bool:
    try:
        return session.get(url, timeout=5).status_code == 200
    except requests.RequestException:
        return False
