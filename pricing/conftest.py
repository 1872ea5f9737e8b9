"""Queues on the embedded SNS and SQS, empty before each test; failpoints; and a clock that tests move."""

import io
from types import SimpleNamespace

import pytest
from django.core.management import call_command

from coruscant import aws, clock, failpoints
from pricing.feeds import FEEDS
from pricing.ingest import queue
from pricing.markets import Market
from pricing.tests.builders import T0


@pytest.fixture
def moving_clock():
    """The domain's clock, at T0 until the test moves it: `moving_clock.now = at(5)`."""
    time = SimpleNamespace(now=T0)
    with clock.driven_by(lambda: time.now):
        yield time


@pytest.fixture
def reached():
    """The failpoints reached, in order; a test may make one of them raise: `reached.fail[name] = error`."""
    seen = SimpleNamespace(names=[], fail={})

    def observe(name: str) -> None:
        seen.names.append(name)
        if name in seen.fail:
            raise seen.fail.pop(name)

    failpoints.arm(observe)
    yield seen
    failpoints.arm(None)


@pytest.fixture
def no_queues():
    """SQS without our queues."""
    _remove_queues()
    yield
    _remove_queues()


@pytest.fixture
def messaging(no_queues, clean_cache):
    """Provisioned topics and queues; `publish(market, body)` sends to a market's topic."""
    call_command("provision_messaging", stdout=io.StringIO())

    def publish(market: Market, body: str) -> None:
        arn = aws.sns().create_topic(Name=FEEDS[market].topic)["TopicArn"]
        aws.sns().publish(TopicArn=arn, Message=body)

    return SimpleNamespace(publish=publish, left=left)


def left(market: Market) -> int:
    """How many messages a queue holds, hidden ones included."""
    url = queue.queue_url(FEEDS[market].queue)
    found = aws.sqs().get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    return int(found["ApproximateNumberOfMessages"]) + int(found["ApproximateNumberOfMessagesNotVisible"])


def _remove_queues() -> None:
    queue.queue_url.cache_clear()
    for source in FEEDS.values():
        for name in (source.queue, source.dead_letter_queue):
            try:
                aws.sqs().delete_queue(QueueUrl=queue.queue_url(name))
            except queue.QueueMissing:
                continue
    queue.queue_url.cache_clear()
