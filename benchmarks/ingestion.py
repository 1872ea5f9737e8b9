"""g: from a full queue to committed quotes and a new best price, against a loop that only receives and deletes."""

import time
from typing import TYPE_CHECKING, Any

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import Stage
from coruscant import aws, clock
from pricing import best_price
from pricing.feeds import FEEDS
from pricing.ingest import poll
from pricing.ingest.queue import queue_url
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.signals import quotes_recorded

if TYPE_CHECKING:
    from mypy_boto3_sqs.type_defs import (
        DeleteMessageBatchRequestEntryTypeDef,
        SendMessageBatchRequestEntryTypeDef,
    )

_BATCH = 10
_MARKET = Market.MOS_ESPA
_LAST_PRICE = "51.5"
_POLL_SECONDS = 3
#: Times the bare loop's rate.
_LEAST = 0.6


def measure(stage: Stage, scale: Scale) -> Measured:
    """Quotes per second of one poller and messages per second of the bare loop, in turn."""
    rates, bare = [], []
    for run in range(1, scale.runs + 1):
        open_bank(stage, scale.banks[0])
        prices.record_past(prices.SAFE)
        _fill(scale.queued_messages)
        bare.append(_receive_and_delete(scale.queued_messages))
        _fill(scale.queued_messages)
        rates.append(_poll(scale.queued_messages))
        stage.say(f"run {run}: {rates[-1]:,.0f} quotes a second, {bare[-1]:,.0f} bare messages")
    loop = Figure(what="bare receive and delete", runs=tuple(bare), unit="/s")
    rate = Figure(what="quotes from the queue to the best price", runs=tuple(rates), unit="/s")
    return Measured(
        figures=(rate.against(loop).at_least(_LEAST),),
        notes=("One poller of one market, in one process. Each batch enqueues an evaluation, as in service.",),
    )


def _fill(count: int) -> None:
    url, sent = queue_url(FEEDS[_MARKET].queue), 0
    while sent < count:
        size = min(_BATCH, count - sent)
        bodies = [
            prices.body(_MARKET, _LAST_PRICE if sent + n + 1 == count else prices.SAFE, clock.now())
            for n in range(size)
        ]
        entries: list[SendMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "MessageBody": text} for number, text in enumerate(bodies)
        ]
        aws.sqs().send_message_batch(QueueUrl=url, Entries=entries)
        sent += size


def _receive_and_delete(count: int) -> float:
    url, done, began = queue_url(FEEDS[_MARKET].queue), 0, time.perf_counter()
    while done < count:
        messages = aws.sqs().receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=_BATCH,
            WaitTimeSeconds=1,
            MessageSystemAttributeNames=["SentTimestamp"],
        )["Messages"]
        entries: list[DeleteMessageBatchRequestEntryTypeDef] = [
            {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]} for number, message in enumerate(messages)
        ]
        aws.sqs().delete_message_batch(QueueUrl=url, Entries=entries)
        done += len(messages)
    return count / (time.perf_counter() - began)


def _poll(count: int) -> float:
    """Quotes per second until the last is committed, the best price cached and an evaluation enqueued."""
    before, recorded_at, received = PriceQuote.objects.count(), 0.0, 0

    def on_recorded(**_signal: Any) -> None:
        nonlocal recorded_at
        recorded_at = time.perf_counter()

    quotes_recorded.connect(on_recorded)  # called after the service's own receivers
    try:
        began = time.perf_counter()
        while received < count:
            received += poll.poll(_MARKET, seconds=_POLL_SECONDS, wait_seconds=1).total()
    finally:
        quotes_recorded.disconnect(on_recorded)
    assert PriceQuote.objects.count() == before + count
    assert str(best_price.current().price) == _LAST_PRICE
    return count / (recorded_at - began)
