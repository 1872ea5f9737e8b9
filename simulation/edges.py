"""Where the service meets the world: every edge is replaced for the length of a schedule, and nothing within."""

import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import connection

from coruscant import aws, clock, doorbell, failpoints
from liquidation import publish
from liquidation.venues import http
from pricing import board, ingest, queues
from pricing.feeds import FEEDS
from pricing.markets import Market
from pricing.models import Feed
from simulation.baton import Actor, here
from simulation.broker import Broker, Cache
from simulation.markets import HttpAnswer, SimulatedMarket
from simulation.messaging import Queues, Topics
from simulation.world import BEGINNING, World


class Edges:
    """The outside of one world."""

    def __init__(self, world: World) -> None:
        """Everything empty."""
        self.world = world
        self.broker, self.cache = Broker(world), Cache(world)
        self.queues, self.topics = Queues(world), Topics(world)
        self.markets = {market: SimulatedMarket(world, market) for market in Market}

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Put them in the place of the real ones."""
        urls = {
            settings.MOS_ESPA_URL: self.markets[Market.MOS_ESPA],
            settings.BLACK_SPIRE_OUTPOST_URL: self.markets[Market.BLACK_SPIRE_OUTPOST],
        }

        def post(url: str, body: str, *, timeout_seconds: float) -> HttpAnswer:
            self._no_transaction("a call of a market")
            return next(urls[base] for base in urls if url.startswith(base)).post(body, timeout_seconds)

        def sqs() -> Queues:
            self._no_transaction("a call of SQS")
            return self.queues

        def sns() -> Topics:
            self._no_transaction("a call of SNS")
            return self.topics

        def ring(bell: Any, **arguments: Any) -> bool:
            self._no_transaction("a ring")
            return self.broker.ring(bell, **arguments)

        def reach(name: str) -> None:
            if actor := here():
                if name == "ingest.committed":
                    self._drained_means_recorded(actor)
                actor.reach(name)

        def monotonic() -> float:
            return (self.world.time - BEGINNING).total_seconds()

        with ExitStack() as replaced:
            for where, name, what in (
                (http, "post", post),
                (aws, "sqs", sqs),
                (aws, "sns", sns),
                (doorbell, "ring", ring),
                (board, "cache", self.cache),
                (uuid, "uuid4", self.world.uuid),
                (ingest, "time", SimpleNamespace(monotonic=monotonic)),
            ):
                replaced.enter_context(mock.patch.object(where, name, what))
            replaced.enter_context(clock.driven_by(self.world.clock))
            forget = (queues.forget_urls, publish._topic_arn.cache_clear)
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
            self.world.blame("drained", f"{market} is drained to {drained_to.time()} without {names}")

    def _no_transaction(self, what: str) -> None:
        if connection.in_atomic_block:
            self.world.blame("I9", f"{what} inside a transaction")
