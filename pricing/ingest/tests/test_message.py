"""What a message is read as: its age, its id, its content."""

from datetime import timedelta

import pytest
import structlog

from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import NOW, record_messages
from pricing.models import PriceQuote, RejectedMessage
from pricing.tests.builders import message, mos_espa_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_no_message_counts_as_sent_after_it_was_received():
    with structlog.testing.capture_logs() as logs:
        record_messages(
            message(mos_espa_event("a"), NOW + timedelta(hours=1)),
            message(mos_espa_event("b"), NOW + timedelta(seconds=1)),
        )
    assert set(PriceQuote.objects.values_list("sent_at", flat=True)) == {NOW}
    assert [(log["event"], log["count"]) for log in logs if log["event"] == "queue_clock_ahead"] == [
        ("queue_clock_ahead", 1)
    ]


@pytest.mark.parametrize(
    "attributes", [None, {}, {"SentTimestamp": ""}, {"SentTimestamp": "-5"}, {"SentTimestamp": "9" * 15}]
)
def test_a_message_of_unknown_age_is_kept_for_a_person(attributes):
    assert record_messages(message(mos_espa_event()) | {"Attributes": attributes}) == IngestCounts(rejected=1)
    row = RejectedMessage.objects.get()
    assert ("SentTimestamp" in row.reason, row.sent_at) == (True, NOW)


@pytest.mark.parametrize("message_id", [None, "", "x" * 129, "a\x00", "é"])
def test_a_message_without_a_usable_id_is_kept_once(message_id):
    broken = message(mos_espa_event()) | {"MessageId": message_id}
    assert record_messages(broken) == IngestCounts(rejected=1)
    assert record_messages(broken) == IngestCounts(duplicates=1)
    assert RejectedMessage.objects.get().message_id.startswith("sha256:")


def test_an_empty_message_is_rejected():
    assert record_messages({"MessageId": "m", "Attributes": {"SentTimestamp": "0"}}) == IngestCounts(rejected=1)
