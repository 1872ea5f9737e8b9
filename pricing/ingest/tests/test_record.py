"""What a batch of messages leaves in the database: exactly that, once."""

import hashlib
from decimal import Decimal

import pytest
from django.db import DataError
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from pricing import best_price, evaluation_window
from pricing.ingest import record
from pricing.ingest.record import IngestCounts
from pricing.ingest.tests.support import NOW, feed, record_messages
from pricing.models import Feed, PriceQuote, RejectedMessage
from pricing.signals import quotes_recorded
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at, black_spire_event, message, mos_espa_event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def announced():
    calls = []

    def listen(sender, **arguments):
        calls.append(sender)

    quotes_recorded.connect(listen)
    yield calls
    quotes_recorded.disconnect(listen)


def test_a_quote_is_kept_exactly(announced):
    assert record_messages(message(mos_espa_event(price="50.10"), at(1), "m-1")) == IngestCounts(quotes=1)
    row = PriceQuote.objects.values().get()
    del row["id"]
    assert row == {
        "market": "mos_espa", "message_id": "m-1", "event_id": "e1", "market_time": Decimal(-62030076711),
        "sent_at": at(1), "received_at": NOW, "sell": [["1", "50.1"]], "buy": [["1", "51"]],
        "too_late": False, "evaluated_at": None, "effective_from": None, "alone": "", "confirmed_by": "",
    }  # fmt: skip
    assert announced == [PriceQuote]


def test_the_same_message_or_event_again_changes_nothing(announced):
    first = message(mos_espa_event(), at(1), "m-1")
    record_messages(first)
    before = list(PriceQuote.objects.values())
    assert record_messages(first, message(mos_espa_event(price="1"), at(2), "m-2")) == IngestCounts(duplicates=2)
    assert list(PriceQuote.objects.values()) == before
    assert announced == [PriceQuote]
    assert (feed().received, feed().quotes, feed().duplicates) == (3, 1, 2)


def test_a_copy_that_overtakes_its_event_hides_no_dip():
    """SNS delivers the dip of second 10 twice; the copy, sent to the queue at 12, is received before all else."""
    dip, copy = (message(mos_espa_event("dip", "30", timestamp="0004-05-06T07:08:10Z"), at(s)) for s in (10, 12))
    rise = message(mos_espa_event("rise", "42", timestamp="0004-05-06T07:08:11Z"), at(11))
    assert record_messages(copy, now=at(13)) == IngestCounts(quotes=1)
    evaluation_window.mark_evaluated(evaluation_window.open_window(at(13)))
    assert record_messages(rise, now=at(14)) == IngestCounts(quotes=1)
    evaluation_window.mark_evaluated(evaluation_window.open_window(at(14)))
    assert record_messages(dip, now=at(15)) == IngestCounts(duplicates=1)
    assert [(low.at, low.price) for low in evaluation_window.open_window(at(15)).lows] == [(at(10), 30), (at(11), 42)]
    assert feed().quotes == PriceQuote.objects.count() == 2


def test_an_event_dated_back_is_too_late_only_if_its_first_message_was_too_old_when_received():
    record_messages(message(mos_espa_event(), at(70)), now=at(70))
    record_messages(message(mos_espa_event(), at(20)), now=at(75))
    assert PriceQuote.objects.values_list("sent_at", "too_late", "evaluated_at").get() == (at(20), False, None)
    record_messages(message(mos_espa_event(), at(10)), now=at(80))
    assert PriceQuote.objects.values_list("sent_at", "too_late", "evaluated_at").get() == (at(10), True, at(80))


def test_a_message_twice_in_one_batch_is_one_quote():
    one = message(black_spire_event(), at(1))
    assert record_messages(one, one, market=BLACK_SPIRE) == IngestCounts(quotes=1, duplicates=1)


def test_events_without_an_id_are_told_apart_by_their_message():
    batch = [message(black_spire_event(), at(1)) for _ in range(3)]
    assert record_messages(*batch, market=BLACK_SPIRE) == IngestCounts(quotes=3)


def test_every_message_has_one_outcome(announced):
    batch = [
        message(black_spire_event(), at(1)), message(black_spire_event(item="STEEL:OTHER"), at(1)),
        message("garbage", at(1), "bad"), message("garbage", at(1), "bad"),
    ]  # fmt: skip
    assert record_messages(*batch, market=BLACK_SPIRE) == IngestCounts(quotes=1, skipped=1, rejected=1, duplicates=1)
    row = RejectedMessage.objects.values().get()
    del row["id"]
    assert row == {
        "market": "black_spire_outpost", "queue": "coruscant-black-spire-outpost-prices", "message_id": "bad",
        "body": "garbage", "body_sha256": hashlib.sha256(b"garbage").hexdigest(),
        "reason": "The body is not JSON: Expecting value at character 0.",
        "sent_at": at(1), "received_at": NOW,
    }  # fmt: skip
    found = feed(BLACK_SPIRE)
    assert (found.received, found.quotes, found.skipped, found.rejected, found.duplicates) == (4, 1, 1, 1, 1)


def test_what_postgresql_cannot_store_is_kept_as_escapes():
    record_messages(message("a\x00b\ud800", at(1)))
    assert RejectedMessage.objects.get().body == "a\\x00b\\ud800"


def test_nothing_is_announced_without_new_quotes(announced):
    record_messages(message("garbage"))
    record_messages()
    assert announced == []


def test_a_listener_that_fails_does_no_harm():
    def listen(**_arguments):
        raise RuntimeError("listener failed")

    quotes_recorded.connect(listen)
    try:
        assert record_messages(message(mos_espa_event(), at(1))) == IngestCounts(quotes=1)
    finally:
        quotes_recorded.disconnect(listen)


def test_a_quote_too_old_when_received_counts_as_evaluated():
    now = at(100)
    record_messages(message(mos_espa_event("a"), at(40)), message(mos_espa_event("b"), at(40.001)), now=now)
    assert list(PriceQuote.objects.order_by("event_id").values_list("too_late", "evaluated_at")) == [
        (True, now),
        (False, None),
    ]


def test_an_empty_receive_drains_the_feed_to_its_beginning():
    record_messages(began=at(3))
    assert (feed().drained_to, feed().polled_at) == (at(3), NOW)


def test_a_receive_that_brought_something_proves_nothing_since_an_older_message_may_follow_it():
    record_messages(began=at(-9))
    record_messages(message(mos_espa_event(), at(2)), message(mos_espa_event(), at(3)), began=at(4))
    assert feed().drained_to == at(-9)
    record_messages(message(mos_espa_event(), at(1)), began=at(5))
    assert feed().drained_to == at(-9)
    record_messages(began=at(6), now=at(7))
    assert feed().drained_to == at(6)


def test_a_full_receive_proves_nothing_either():
    batch = [message(black_spire_event(), at(number)) for number in range(4, -6, -1)]
    record_messages(*batch, market=BLACK_SPIRE, began=at(4.5))
    record_messages(*[message("garbage", None) for _ in range(10)], began=at(4))
    assert (feed(BLACK_SPIRE).drained_to, feed().drained_to) == (None, None)


def test_drained_to_never_moves_back():
    record_messages(began=at(4))
    record_messages(began=at(3), now=at(3.5))
    assert (feed().drained_to, feed().polled_at) == (at(4), NOW)


def test_an_empty_receive_proves_nothing_while_messages_may_be_hidden():
    Feed.objects.create(market=MOS_ESPA, in_flight_until=at(4))
    record_messages(began=at(3))
    assert feed().drained_to is None
    record_messages(began=at(4))
    assert feed().drained_to == at(4)


def refusing(monkeypatch, culprit):
    """Make the database refuse any quote with the message id `culprit`."""
    original = record._row

    def row(message_id, *columns, **more):
        return original(message_id, *columns, **more) | ({"market_time": "1e60"} if message_id == culprit else {})

    monkeypatch.setattr(record, "_row", row)


def test_one_message_the_database_refuses_does_not_hold_back_the_rest(monkeypatch, announced):
    refusing(monkeypatch, "bad")
    batch = [message(black_spire_event(), at(1), name) for name in ("good", "bad", "fine")]
    assert record_messages(*batch, market=BLACK_SPIRE, began=at(4)) == IngestCounts(quotes=2, rejected=1)
    assert set(PriceQuote.objects.values_list("message_id", flat=True)) == {"good", "fine"}
    rejected = RejectedMessage.objects.get()
    assert rejected.message_id == "bad"
    assert rejected.reason.startswith("the database refused it: numeric field overflow")
    assert (feed(BLACK_SPIRE).received, feed(BLACK_SPIRE).drained_to) == (3, None)
    assert announced == [PriceQuote]


def test_a_failure_to_record_leaves_nothing(reached):
    reached.fail["ingest.recorded"] = RuntimeError("power cut")
    with pytest.raises(RuntimeError):
        record_messages(message(mos_espa_event(), at(1)))
    assert (PriceQuote.objects.count(), Feed.objects.count()) == (0, 0)


def test_a_failure_with_the_database_is_not_a_rejection(monkeypatch):
    monkeypatch.setattr(record, "write", lambda *_: (_ for _ in ()).throw(DataError("always")))
    with pytest.raises(DataError):
        record_messages(message(mos_espa_event(), at(1)))


def test_the_best_price_is_refreshed_by_what_was_recorded():
    now = best_price.clock.now()
    record_messages(message(mos_espa_event(), now), now=now)
    assert best_price.current().price == Decimal(50)


class AnyOrder(TestCase):
    """Order, batching and repetition of messages leave the same quotes."""

    @settings(deadline=None, max_examples=8)
    @given(st.data())
    def test_the_same_quotes(self, data):
        messages = [message(black_spire_event(price=n + 1), at(n % 4), f"m-{n}") for n in range(6)]
        deliveries = data.draw(st.permutations(messages + data.draw(st.lists(st.sampled_from(messages), max_size=4))))
        while deliveries:
            size = data.draw(st.integers(1, len(deliveries)))
            record_messages(*deliveries[:size], market=BLACK_SPIRE)
            deliveries = deliveries[size:]
        rows = PriceQuote.objects.order_by("message_id").values_list("message_id", "sent_at", "sell")
        assert list(rows) == [(f"m-{n}", at(n % 4), [["1", str(n + 1)]]) for n in range(6)]
        found = feed(BLACK_SPIRE)
        assert (found.quotes, found.received - found.duplicates) == (6, 6)


def test_an_event_that_is_dated_back_is_effective_from_no_instant_that_is_known():
    record_messages(message(mos_espa_event(), at(12)), now=at(13))
    evaluation_window.mark_evaluated(evaluation_window.open_window(at(13)))
    assert PriceQuote.objects.get().effective_from == at(12)
    record_messages(message(mos_espa_event(), at(10)), now=at(14))
    assert PriceQuote.objects.get().effective_from is None
    evaluation_window.mark_evaluated(evaluation_window.open_window(at(15)))
    assert PriceQuote.objects.get().effective_from == at(10)
