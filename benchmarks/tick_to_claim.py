"""d: from a price's publication at SNS to the commit of the claims it makes, with a tick a second from each market."""

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
from benchmarks.figures import Curve, Figure, Measured, Plot, percentile, under
from benchmarks.scale import Scale
from benchmarks.stage import Stage, eventually
from coruscant import aws, clock
from local.simulators.messaging import subscribe_queue
from pricing.feeds import FEEDS
from pricing.markets import Market
from pricing.models import PriceQuote

_HALF_A_TICK = 0.5
_RATIO = Decimal("0.8")


@dataclass(frozen=True, slots=True)
class _Event:
    """One published price, GC a unit, and when SNS was asked to take it (UNIX time)."""

    price: Decimal
    body: str
    sent: float


def measure(stage: Stage, scale: Scale) -> Measured:
    """Latencies of claims, beside those of a bare listener on a queue of its own that hears the same events."""
    open_bank(stage, scale.live_loans)
    prices.have_heard(prices.SAFE)
    with stage.running(stage.worker("prices"), stage.worker("risk"), stage.beat()), _bare_listener(stage) as heard:
        stage.await_workers(2)
        for market in Market:
            _publish(market, Decimal(prices.SAFE))
        eventually(_all_swept, "the workers have swept the first prices", 30)
        events = _fall(scale.live_seconds)
        eventually(_all_swept, "everything is swept", 30)
    claims = _last_commits(events)
    waits = [commit - event.sent for event, commit in claims]
    bare = [heard[event.body] - event.sent for event in events if event.body in heard]
    return Measured(
        figures=tuple(_figure(waits, bare, *row) for row in (("p50", 0.5, 60), ("p99", 0.99, 250))),
        notes=(
            f"{len(claims)} of {len(events)} prices breached loans; each waits for the last claim it causes.",
            "The endpoint looks for messages every 100 ms while a poll waits, which is most of its share.",
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
    return Figure(
        what=f"price published to claims committed, {name}",
        runs=(ours,),
        unit="ms",
        yardstick=Figure(what=f"published to received, bare, {name}", runs=(theirs,), unit="ms"),
        reach=under(ours - theirs, most, f"≤ {most} ms beyond it ({ours - theirs:.0f})"),
    )


def _fall(seconds: int) -> list[_Event]:
    """Let the price fall step by step, each market once a second, in turns.

    The best price is the better of the two, so every event lowers it to that of the event before.
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

    A loan belongs to the event that first breached it, even if it was claimed by a later one's price. A claim's commit
    is that of its first history row, which nothing ever writes again; recovery notes its bells on the liquidation's.
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
    """A queue that hears both topics, and a thread that does nothing but long-poll it; yields body → when it came."""
    endpoint, queue = stage.stack.sns_sqs.endpoint_url, "benchmarks-bare-listener"
    urls = [subscribe_queue(endpoint, source.topic, queue) for source in FEEDS.values()]
    heard: dict[str, float] = {}
    stop = threading.Event()

    def listen() -> None:
        while not stop.is_set():
            answer = aws.sqs().receive_message(QueueUrl=urls[0], MaxNumberOfMessages=10, WaitTimeSeconds=1)
            now = time.time()
            for message in answer.get("Messages", []):
                heard[message["Body"]] = now
                aws.sqs().delete_message(QueueUrl=urls[0], ReceiptHandle=message["ReceiptHandle"])

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        stop.set()
        thread.join(10)


def _all_swept() -> bool:
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
