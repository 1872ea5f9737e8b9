"""f: pages of the list of loans, at any depth of the largest bank."""

import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from urllib.parse import quote

import requests

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Figure, Measured, percentile, under
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from local.stack.ports import LOOPBACK
from pricing.markets import Market


def measure(stage: Stage, scale: Scale) -> Measured:
    """p99 of pages of 50 loans, asked for one after the other over one connection."""
    loans = scale.largest
    open_bank(stage, loans)
    prices.have_heard(prices.SAFE)
    pages: dict[str, Callable[[int], str]] = {
        "first page": lambda _: "/loans",
        "a page deep inside": lambda number: f"/loans?cursor={_cursor(loans // 2 - number)}",
        "first active": lambda _: "/loans?status=active",
        "active, deep inside": lambda number: f"/loans?status=active&cursor={_cursor(loans // 4 - number)}",
    }
    found: dict[str, list[float]] = {name: [] for name in pages}
    with stage.serving("coruscant.wsgi") as port, requests.Session() as session:
        address = f"http://{LOOPBACK}:{port}"
        eventually(lambda: _answers(session, f"{address}/health/ready"), "the API answers", 60)
        for _ in range(scale.runs):
            for name, path in pages.items():
                prices.hear(prices.SAFE, *Market)  # as fresh as they are in service
                waits = list(_waits(session, address, path, scale.list_requests))
                found[name].append(1000 * percentile(waits, 0.99))
    first = Figure(what="first page", runs=tuple(found["first page"]), unit="ms")
    figures = [
        Figure(
            what=f"p99 of {name}, {loans:,} loans",
            runs=tuple(runs),
            unit="ms",
            yardstick=None if name == "first page" else first,
            reach=under(Figure(what="", runs=tuple(runs), unit="").value, 40, "≤ 40 ms"),
        )
        for name, runs in found.items()
    ]
    return Measured(figures=tuple(figures), notes=("Pages of 50; whole HTTP calls, as a client sees them.",))


def _waits(session: requests.Session, address: str, path: Callable[[int], str], count: int) -> Iterator[float]:
    """Seconds of each of so many calls, after a few that warm up."""
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
