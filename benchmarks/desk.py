"""i: the desk: the pass over the whole book, what runs beside it, and its pages."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from threading import Event

from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.urls import reverse

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage
from desk.book import snapshot
from desk.navigation import GROUPS
from liquidation.evaluate import evaluate_loans
from loans import postings
from loans.models import Loan
from local.stack.ports import LOOPBACK

_PASSES, _BESIDE, _PAGES = 5, 40, 10
#: Times a count of the same index; times the frame of a page that reads nothing.
_MOST_PASS = 10
_MOST_WAIT_MS = 250
_MOST_PAGE_MS = 100


def measure(stage: Stage, scale: Scale) -> Measured:
    """Milliseconds of the snapshot's pass, of evaluations and postings beside it, and of pages, in the largest bank."""
    loans = scale.largest
    open_bank(stage, loans)
    prices.record_past(prices.SAFE)
    prices.record(prices.SAFE)
    evaluate_loans()
    assert snapshot.take() is not None
    passes = _times(lambda _: list(snapshot.sums()), _PASSES)
    count = Figure(what="a count of all active loans", runs=_times(lambda _: _count(), _PASSES), unit="ms")
    read = Figure(what=f"the pass over {loans:,} active loans", runs=passes, unit="ms")
    alone = {"evaluation": _times(_tick, _BESIDE), "posting": _times(_post(loans, "alone"), _BESIDE)}
    with _passes_all_the_time():
        beside = {"evaluation": _times(_tick, _BESIDE), "posting": _times(_post(loans, "beside"), _BESIDE)}
    pages = _pages(scale)
    frame = pages.pop("a page that reads nothing")
    longest = {name: max(runs) for name, runs in beside.items()}
    slowest = max(max(runs) for runs in pages.values())
    stage.say(f"pass {read.value:.0f} ms; longest beside it {longest}; slowest page {slowest:.0f} ms")
    return Measured(
        figures=(
            read.against(count).at_most(_MOST_PASS),
            *(
                Figure(what=f"longest {name} beside the pass", runs=(max(beside[name]),), unit="ms").against(
                    Figure(what="without it", runs=(max(alone[name]),), unit="ms")
                )
                for name in beside
            ),
            *(
                Figure(what=f"{name}, {loans:,} loans", runs=runs, unit="ms").against(
                    Figure(what="a page that reads nothing", runs=frame, unit="ms")
                )
                for name, runs in pages.items()
            ),
        ),
        notes=(
            f"Wanted: nothing waits longer than {_MOST_WAIT_MS} ms beside the pass, and no page takes more than"
            f" {_MOST_PAGE_MS} ms of the server.",
            "The pass is repeated without a pause beside the others; in service it is taken every 30 s.",
        ),
    )


def _times(call: Callable[[int], object], count: int) -> tuple[float, ...]:
    """Milliseconds of each of so many calls, after one to warm up."""
    found = []
    for number in range(count + 1):
        began = time.perf_counter()
        call(number)
        found.append(1000 * (time.perf_counter() - began))
    return tuple(found[1:])


def _count() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM loans_loan WHERE status = 'active'")
        return int(cursor.fetchone()[0])


def _tick(number: int) -> None:
    prices.record(f"50.{number:04d}")
    assert evaluate_loans()


def _post(loans: int, name: str) -> Callable[[int], object]:
    def post(number: int) -> object:
        loan = number % loans + 1
        return postings.post_collateral(
            client="", request_id=f"desk-{name}-{number}", loan_id=f"loan-{loan}", borrower_id=f"borrower-{loan // 10}",
            amount=Decimal("0.001"),
        )  # fmt: skip

    return post


@contextmanager
def _passes_all_the_time() -> Iterator[None]:
    """Read the whole book again and again in another thread, for the length of a block."""
    ended = Event()

    def read() -> None:
        while not ended.is_set():
            list(snapshot.sums())
        connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        reading = pool.submit(read)
        try:
            yield
        finally:
            ended.set()
            reading.result()


def _pages(scale: Scale) -> dict[str, tuple[float, ...]]:
    """Milliseconds of the server for each page, as an administrator gets it, without HTTP.

    A tenth of the bank has just been claimed, so that liquidations and events are as many as they ever are, and
    autovacuum has come, as it does within a minute.
    """
    prices.record(prices.CRASHED)
    assert evaluate_loans()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    client = Client(SERVER_NAME=LOOPBACK)
    client.force_login(User.objects.create_superuser("benchmark"))
    active = Loan.objects.get(loan_id=f"loan-{scale.largest // 2 + 1}")
    sold = Loan.objects.get(loan_id=f"loan-{scale.largest // 2}")
    addresses = {
        "a page that reads nothing": reverse("admin:password_change"),
        **{title: reverse(page) for _group, pages in GROUPS for title, _icon, page, _permission in pages},
        "figures of the overview": reverse("desk:overview"),
        "page of an active loan": reverse("admin:loans_loan_change", args=(active.pk,)),
        "page of a claimed loan": reverse("admin:loans_loan_change", args=(sold.pk,)),
        "search for an id": reverse("admin:search") + f"?s={active.loan_id}",
    }

    def get(address: str) -> Callable[[int], object]:
        def once(number: int) -> None:
            assert client.get(address).status_code == 200, address

        return once

    found = {}
    for name, address in addresses.items():
        prices.record(prices.CRASHED)  # as fresh as they are in service
        found[name] = _times(get(address), _PAGES)
    return found
