"""d: from a price's publication on SNS to the commit of its claims, with a tick a second from each market."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise

from django.db import connection

from benchmarks import prices
from benchmarks.bank import EDGE, open_bank
from benchmarks.figures import Curve, Figure, Measured, Plot, percentile
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from coruscant import aws, clock
from local.simulators.messaging import subscribe_queue
from pricing.feeds import FEEDS
from pricing.markets import Market
from pricing.models import PriceQuote

_HALF_A_TICK = 0.5
_RATIO = Decimal("0.8")
#: Times the wait of the bare listener: name, share of the prices, limit.
_LIMITS = (("p50", 0.5, 2.5), ("p99", 0.99, 2.5))


@dataclass(frozen=True, slots=True)
class _Event:
    """One published price, GC a unit, and when SNS was asked to take it (UNIX time)."""

    price: Decimal
    body: str
    sent: float


def measure(stage: Stage, scale: Scale) -> Measured:
    """Latencies of claims, against those of a bare listener that receives the same events on a queue of its own."""
    open_bank(stage, scale.live_loans)
    prices.record_past(prices.SAFE)
    with stage.running(stage.worker("prices"), stage.worker("risk"), stage.beat()), _bare_listener(stage) as received:
        stage.await_workers(2)
        for market in Market:
            _publish(market, Decimal(prices.SAFE))
        eventually(_all_evaluated, "the first prices are evaluated", 30)
        events = _fall(scale.live_seconds)
        eventually(_all_evaluated, "all prices are evaluated", 30)
    claims = _last_commits(events)
    waits = [commit - event.sent for event, commit in claims]
    bare = [received[event.body] - event.sent for event in events if event.body in received]
    return Measured(
        figures=tuple(_figure(waits, bare, *row) for row in _LIMITS),
        notes=(
            f"{len(claims)} of {len(events)} prices breached loans; each waits for the last claim it causes.",
            "The SNS/SQS endpoint looks for messages every 100 ms, which is most of the bare listener's wait.",
        ),
        plots=(
            Plot(
                name="tick_to_claim",
                title="From a price to its claims",
                x_axis="share of prices",
                y_axis="milliseconds",
                curves=(_shares("claims committed", waits), _shares("received by a bare listener", bare)),
            ),
        ),
    )


def _figure(waits: Sequence[float], bare: Sequence[float], name: str, share: float, most: float) -> Figure:
    ours, theirs = (1000 * percentile(seconds, share) for seconds in (waits, bare))
    figure = Figure(what=f"price published to claims committed, {name}", runs=(ours,), unit="ms")
    return figure.against(Figure(what=f"published to received, bare, {name}", runs=(theirs,), unit="ms")).at_most(most)


def _fall(seconds: int) -> list[_Event]:
    """Let the price fall in steps, each market once a second, in turn.

    The best price is the better of the two, so each event lowers it to the price of the event before.
    """
    steps, due = round(seconds / _HALF_A_TICK), time.monotonic()
    events = []
    for step in range(1, steps + 1):
        debt = Decimal(str(EDGE[1])) - (Decimal(str(EDGE[1])) - Decimal(str(EDGE[0]))) * step / steps
        events.append(_publish(list(Market)[step % len(Market)], round(debt / _RATIO, 6)))
        due += _HALF_A_TICK
        time.sleep(max(0.0, due - time.monotonic()))
    return events


def _publish(market: Market, price: Decimal) -> _Event:
    topic = aws.sns().create_topic(Name=FEEDS[market].topic)["TopicArn"]
    body = prices.body(market, str(price), clock.now())
    sent = time.time()
    aws.sns().publish(TopicArn=topic, Message=body)
    return _Event(price, body, sent)


def _last_commits(events: Sequence[_Event]) -> list[tuple[_Event, float]]:
    """For each event that breached loans: when the last claim of these was committed.

    A loan belongs to the event that first breached it, even if a later event's price claimed it. A claim's commit is
    that of its first history row, which is never written again; recovery may update the liquidation itself.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.debt_per_unit, extract(epoch FROM pg_xact_commit_timestamp(h.xmin))::float8"
            " FROM liquidation_historicalliquidation h JOIN loans_loan l ON l.id = h.loan_id"
            " WHERE h.history_type = '+' ORDER BY 1 DESC"
        )
        claimed = cursor.fetchall()
        cursor.execute(
            "SELECT count(*) FROM loans_loan WHERE status = 'active' AND debt_per_unit >= %s",
            [events[-2].price * _RATIO],
        )
        (missed,) = cursor.fetchone()
    assert missed == 0, f"{missed} loans were not claimed"
    found, position = [], 0
    for before, event in pairwise(events):
        commits = []
        while position < len(claimed) and claimed[position][0] >= before.price * _RATIO:
            commits.append(claimed[position][1])
            position += 1
        if commits:
            found.append((event, max(commits)))
    return found


@contextmanager
def _bare_listener(stage: Stage) -> Iterator[dict[str, float]]:
    """A queue on both topics and a thread that only long-polls it. Yields body → when it was received."""
    endpoint, queue = stage.stack.sns_sqs.endpoint_url, "benchmarks-bare-listener"
    urls = [subscribe_queue(endpoint, source.topic, queue) for source in FEEDS.values()]
    received: dict[str, float] = {}
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            answer = aws.sqs().receive_message(QueueUrl=urls[0], MaxNumberOfMessages=10, WaitTimeSeconds=1)
            now = time.time()
            for message in answer.get("Messages", []):
                received[message["Body"]] = now
                aws.sqs().delete_message(QueueUrl=urls[0], ReceiptHandle=message["ReceiptHandle"])

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield received
    finally:
        stop.set()
        thread.join(10)


def _all_evaluated() -> bool:
    return not PriceQuote.objects.filter(evaluated_at__isnull=True).exists() and _queues_are_empty()


def _queues_are_empty() -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    for source in FEEDS.values():
        url = aws.sqs().get_queue_url(QueueName=source.queue)["QueueUrl"]
        attributes = aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]  # type: ignore[arg-type]
        if any(int(attributes[name]) for name in names):  # type: ignore[index]
            return False
    return True


def _shares(name: str, seconds: Sequence[float]) -> Curve:
    ordered = sorted(seconds)
    return Curve(
        name,
        tuple((number + 1) / len(ordered) for number in range(len(ordered))),
        tuple(1000 * value for value in ordered),
    )
