"""A service that is well, but for what a test takes away."""

import socket

import pytest

from coruscant import aws
from coruscant.monitoring import signs_of_life
from coruscant.outbox import topic_arn
from pricing.ingest.provision import provision
from pricing.markets import Market


@pytest.fixture
def well(db, emulator, clean_cache, settings):
    """Topics, queues and subscriptions, two markets that listen, a beat, and a worker for each queue."""
    list(provision())
    aws.sns().subscribe(TopicArn=topic_arn(aws.LIQUIDATION_TOPIC), Protocol="http", Endpoint="http://branch.test")
    for kind in signs_of_life.kinds():
        signs_of_life.give([kind], f"{kind}@here")
    with socket.create_server(("127.0.0.1", 0)) as listening:
        settings.MARKET_URLS = {market: f"http://127.0.0.1:{listening.getsockname()[1]}" for market in Market}
        yield
