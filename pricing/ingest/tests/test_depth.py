"""The depth of price queues and dead-letter queues, asked of a real SQS."""

import pytest

from coruscant import aws
from pricing.feeds import FEEDS
from pricing.ingest import depth
from pricing.ingest.provision import provision
from pricing.ingest.queue import QueueMissing, queue_url
from pricing.markets import Market


def test_messages_that_wait_are_counted_by_queue(emulator):
    with pytest.raises(QueueMissing):
        depth.depths()
    list(provision())
    source = FEEDS[Market.MOS_ESPA]
    for _ in range(2):
        aws.sqs().send_message(QueueUrl=queue_url(source.dead_letter_queue), MessageBody="read in vain")
    assert depth.depths() == {
        "coruscant-mos-espa-prices": 0,
        "coruscant-mos-espa-prices-dead-letters": 2,
        "coruscant-black-spire-outpost-prices": 0,
        "coruscant-black-spire-outpost-prices-dead-letters": 0,
    }
