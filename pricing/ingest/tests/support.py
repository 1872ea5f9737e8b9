"""What the tests of ingestion share: sending to queues, polling once, recording messages."""

import json

from coruscant import aws
from pricing.feeds import FEEDS
from pricing.ingest import poll, queue, record
from pricing.models import Feed
from pricing.tests.builders import MOS_ESPA, at, mos_espa_event

NOW = at(5)


def send(body, market=MOS_ESPA):
    aws.sqs().send_message(QueueUrl=queue.queue_url(FEEDS[market].queue), MessageBody=body)


def fill(count):
    """Send so many events of Mos Espa."""
    for number in range(count):
        send(json.dumps(mos_espa_event(f"e{number}")))


def poll_once(market=MOS_ESPA, seconds=0):
    return poll.poll(market, seconds=seconds, wait_seconds=1)


def record_messages(*messages, market=MOS_ESPA, now=NOW, began=None):
    counts = record.record_batch(FEEDS[market], messages, now, began or now)
    poll.announce(quotes=bool(counts["quotes"]))
    return counts


def feed(market=MOS_ESPA):
    return Feed.objects.get(market=market)
