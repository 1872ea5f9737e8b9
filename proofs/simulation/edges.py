"""Where the service meets the outside world: each such call is replaced during a schedule; nothing else is.

(What a worker books is looked at, and whether the bank wants two people for everything is set.)
"""

import json
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any
from unittest import mock

from django.conf import settings
from django.db import connection

from coruscant import aws, clock, enqueue, failpoints, outbox
from coruscant.restores import identity
from liquidation import last_send, sell, venues
from liquidation.venues import http
from liquidation.verdicts import Answer
from pricing import price_alerts, snapshot
from pricing.feeds import FEEDS
from pricing.ingest import poll, queue
from pricing.markets import Market
from pricing.models import Feed
from proofs.simulation.actor import Actor, current_actor
from proofs.simulation.broker import Broker, Cache
from proofs.simulation.markets import HttpAnswer, SimulatedMarket
from proofs.simulation.messaging import Queues, Topics
from proofs.simulation.world import BEGINNING, World

if TYPE_CHECKING:
    import psycopg

_FENCE = "SELECT fence FROM liquidation_liquidation WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Booked:
    """What a worker did with the answer to the `send`th send of an order, if it lived to the end of it."""

    request_id: str
    send: int
    outcome: sell.Outcome | None
    #: Whether another had taken the sale before, so that the answer decides nothing.
    stale: bool


class Edges:
    """The outside of one world."""

    def __init__(self, world: World, monitor: "psycopg.Connection[Any]") -> None:
        """Everything empty; `monitor` reads what is committed."""
        self.world, self._monitor = world, monitor
        self.broker, self.cache = Broker(world), Cache(world)
        self.queues, self.topics = Queues(world), Topics(world)
        self.markets = {market: SimulatedMarket(world, market) for market in Market}
        #: Every answer that a worker has booked, or kept.
        self.booked: list[Booked] = []
        #: How often the books have gone back.
        self.restores = 0
        #: Until when each call of a market that is under way may take, by requestId.
        self._calls: dict[str, datetime] = {}

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Put them in the place of the real ones."""
        urls = {settings.MARKET_URLS[market]: simulated for market, simulated in self.markets.items()}

        def post(url: str, body: str, *, timeout_seconds: float) -> HttpAnswer:
            self._no_transaction("a call of a market")
            market = next(urls[base] for base in urls if url.startswith(base))
            with self._only_seller(body, timeout_seconds):
                return market.post(body, timeout_seconds)

        send_order, book_answer = venues.send_order, sell._book

        def book(attempt: sell.OrderAttempt, answer: Answer) -> sell.Outcome | None:
            restores = self.restores
            row = self._monitor.execute(_FENCE, [attempt.liquidation_id], prepare=True).fetchone()
            outcome = book_answer(attempt, answer)
            stale = row is not None and row[0] != attempt.fence
            if restores == self.restores:  # else it may have been committed to what was lost
                self.booked.append(Booked(attempt.request_id, attempt.send, outcome, stale))
            return outcome

        def heard(market: Market, payload: str, *, request_id: str, at_most_seconds: float) -> Answer:
            answer = send_order(market, payload, request_id=request_id, at_most_seconds=at_most_seconds)
            if actor := current_actor():
                self.world.heard(actor.number, market, request_id, answer)
            return answer

        def sqs() -> Queues:
            self._no_transaction("a call of SQS")
            return self.queues

        def sns() -> Topics:
            self._no_transaction("a call of SNS")
            return self.topics

        def now(task: Any, **arguments: Any) -> bool:
            self._no_transaction("enqueueing a task")
            return self.broker.now(task, **arguments)

        def reach(name: str) -> None:
            if actor := current_actor():
                if name == "ingest.committed":
                    self._drained_means_recorded(actor)
                actor.reach(name)

        def monotonic() -> float:
            return (self.world.time - BEGINNING).total_seconds()

        with ExitStack() as replaced:
            for where, name, what in (
                (http, "post", post),
                (venues, "send_order", heard),
                (aws, "sqs", sqs),
                (aws, "sns", sns),
                (enqueue, "now", now),
                (enqueue, "waiting", lambda _queue: 0),
                (snapshot, "cache", self.cache),
                (price_alerts, "cache", self.cache),
                (last_send, "cache", self.cache),
                (uuid, "uuid4", self.world.uuid),
                (poll, "time", SimpleNamespace(monotonic=monotonic)),
                (queue, "time", SimpleNamespace(monotonic=monotonic)),
                (sell, "time", SimpleNamespace(monotonic=monotonic)),
                (sell, "_book", book),
                (settings, "FOUR_EYES", self.world.four_eyes),
            ):
                replaced.enter_context(mock.patch.object(where, name, what))
            replaced.enter_context(clock.driven_by(self.world.clock))
            forget = (queue.queue_url.cache_clear, outbox.topic_arn.cache_clear, identity.forget)
            for call in forget:
                call()
                replaced.callback(call)
            failpoints.arm(reach)
            replaced.callback(failpoints.arm, None)
            yield

    def _drained_means_recorded(self, actor: Actor) -> None:
        """A feed that is drained to an instant has recorded whatever was sent before, what the queue hides too."""
        queue = self.queues.recorded_by(actor)
        if queue is None or self.world.faults.clock_steps:
            return
        market = next(market for market, source in FEEDS.items() if source.queue == queue)
        drained_to = Feed.objects.values_list("drained_to", flat=True).get(market=market)
        if drained_to and (missing := self.queues.unrecorded_before(queue, drained_to)):
            names = ", ".join(message.message_id for message in missing)
            self.world.report("drained", f"{market} is drained to {drained_to.time()} without {names}")

    @contextmanager
    def _only_seller(self, body: str, timeout_seconds: float) -> Iterator[None]:
        """An order is not sent while another worker's call with it is under way: that is what the lease is for."""
        request_id, now = json.loads(body)["requestId"], self.world.time
        if self._calls.get(request_id, now) > now and not self.world.faults.clock_steps:
            self.world.report("one seller", f"{request_id} is sent while another worker waits for its answer")
        self._calls[request_id] = now + timedelta(seconds=timeout_seconds)
        yield
        self._calls.pop(request_id, None)  # of a process that dies, the call is under way until its time is over

    def _no_transaction(self, what: str) -> None:
        if connection.in_atomic_block:
            self.world.report("I9", f"{what} inside a transaction")
