"""`/health/business`: whether prices come in, sales end, events go out and a beat runs.

For people and their monitors, never to take a process out of service: a restart mends none of it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from django.conf import settings
from django.db import Error
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from redis.exceptions import RedisError

from coruscant import at_once, clock, statements
from coruscant.monitoring import signs_of_life
from coruscant.web.problems import problem, refuse_writes
from liquidation.models import OrderStatus, TradeOrder
from liquidation.monitoring import invariant_checks, waiting
from loans.events import topic
from pricing.markets import Market

log = structlog.get_logger(__name__)

#: So long it takes at most …
DEADLINE_SECONDS = 3.0
#: … and so long a statement. Each reads an index.
STATEMENT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure, in whole seconds or a count, and from where on it is too much.

    None: there is nothing to measure, which is fine, unless it must be `known`.
    """

    name: str
    what: str
    figure: int | None
    limit: int
    known: bool = False

    @property
    def reason(self) -> str:
        """What is wrong with it, as a sentence; empty if nothing is."""
        if self.figure is None:
            return f"{self.what}: not known." if self.known else ""
        return f"{self.what}: {self.figure}, and {self.limit} is too much." if self.figure >= self.limit else ""


@never_cache
def business(request: HttpRequest) -> HttpResponse:
    """200 with the figures, or 503 with these and the reasons, as sentences."""
    if refused := refuse_writes(request):
        return refused
    try:
        measures = at_once.ask({"measures": _measures}, DEADLINE_SECONDS)["measures"].result(timeout=0)
    except (Error, TimeoutError) as error:
        log.warning("business_health_not_known", error=repr(error))
        return problem(503, detail="The database does not answer.", reasons=["The database does not answer."])
    figures = {measure.name: measure.figure for measure in measures}
    if reasons := [measure.reason for measure in measures if measure.reason]:
        return problem(503, detail=" ".join(reasons), reasons=reasons, figures=figures)
    return JsonResponse({"status": "ok", "figures": figures})


def _measures() -> list[Measure]:
    with statements.within(STATEMENT_SECONDS):
        found = list(_of_the_books(clock.now()))
    what = "Seconds since the last sign of a beat"
    found.append(Measure("beatSilence", what, _beat_silence(), settings.HEALTH_BEAT_SECONDS, known=True))
    broken = sum(bool(one.violations) for one in invariant_checks.last())
    return [*found, Measure("brokenInvariants", "Broken invariants", broken, 1)]


def _of_the_books(now: datetime) -> Iterator[Measure]:
    def oldest(rows: "QuerySet[Any]", column: str) -> int | None:
        return _seconds(now, waiting.since(rows, column))

    newest = {feed.market: feed.newest for feed in waiting.feeds()}
    for market in Market:
        age = _seconds(now, newest.get(market))
        what = f"Age in seconds of the newest price of {market.label}"
        yield Measure(f"priceAge.{market.value}", what, age, settings.HEALTH_PRICE_AGE_SECONDS, known=True)
    what = "Seconds since the oldest claim that is not settled"
    yield Measure("oldestUnsettled", what, oldest(waiting.sales(), "claimed_at"), settings.HEALTH_LIQUIDATION_SECONDS)
    lag = oldest(waiting.events(), "created_at")
    yield Measure("outboxLag", "Age in seconds of the oldest unsent event", lag, settings.HEALTH_OUTBOX_SECONDS)
    lag = oldest(topic.unsent(topic.named()), "created_at")
    yield Measure(
        "loanEventsLag", "Age in seconds of the oldest unsent loan event", lag, settings.HEALTH_OUTBOX_SECONDS
    )
    unresolved = TradeOrder.objects.filter(status=OrderStatus.UNRESOLVED).count()
    yield Measure("unresolvedOrders", "Orders that wait for a person", unresolved, settings.HEALTH_UNRESOLVED_ORDERS)


def _beat_silence() -> int | None:
    try:
        last = signs_of_life.read()[signs_of_life.BEAT].last_seconds
    except (RedisError, OSError) as error:
        log.warning("signs_of_life_not_read", error=str(error))
        return None
    return None if last is None else int(last)


def _seconds(now: datetime, since: datetime | None) -> int | None:
    return None if since is None else max(0, int((now - since).total_seconds()))
