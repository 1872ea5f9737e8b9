import json
import time
from collections.abc import Callable
from decimal import Decimal

import pytest

from local.simulators.market import price_publisher
from local.simulators.market.price_publisher import PricePublisher
from local.simulators.market.tests.stub_topic import StubTopic
from local.simulators.testing import running_market


@pytest.fixture
def topic(monkeypatch: pytest.MonkeyPatch) -> StubTopic:
    stub = StubTopic()
    monkeypatch.setattr(price_publisher, "sns_client", stub.client)
    return stub


def wait_until(is_so: Callable[[], object]) -> None:
    deadline = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_events_are_published_in_order_to_the_topic_it_creates(topic: StubTopic) -> None:
    publisher = PricePublisher("http://stub", "prices")
    offered = [publisher.offer(body) for body in ("one", "two", "three")]
    publisher.start()
    assert [future.result(5) for future in offered] == ["m1", "m2", "m3"]
    publisher.stop()
    assert topic.published == ["one", "two", "three"]
    assert topic.created == ["prices"]


def test_only_the_newest_event_waits_for_an_endpoint_that_is_away(topic: StubTopic) -> None:
    topic.broken.set()
    publisher = PricePublisher("http://stub", "prices")
    publisher.start()
    offered = [publisher.offer(str(number)) for number in range(5)]
    wait_until(lambda: publisher.failures)
    topic.broken.clear()
    assert [future.result(5) for future in offered] == [None, None, None, None, "m1"]
    publisher.stop()
    assert topic.published == ["4"]


def test_what_is_offered_after_the_end_is_dropped(topic: StubTopic) -> None:
    publisher = PricePublisher("http://stub", "prices")
    publisher.start()
    publisher.stop()
    assert publisher.offer("late").result(5) is None
    assert topic.published == []


def test_a_market_publishes_about_once_an_interval(topic: StubTopic) -> None:
    with running_market("mos_espa", price=None, sns_endpoint="http://stub", interval_seconds=Decimal("0.1")):
        time.sleep(1)
    assert 5 <= len(topic.published) <= 12
    assert all(json.loads(body)["asset"] == "BESKAR" for body in topic.published)
    assert topic.created == ["tatooine-mos-espa-prices"]


def test_a_paused_market_publishes_only_what_it_is_asked_to(topic: StubTopic) -> None:
    with running_market("black_spire_outpost", sns_endpoint="http://stub", paused=True) as market:
        answer = market.set_price("31.25")
    assert answer["messageId"] == "m1"
    (body,) = topic.published
    assert [entry["price"] for entry in json.loads(body, parse_float=str)["sell"]] == ["31.25"] * 4


def test_a_noisy_market_repeats_itself_and_publishes_other_items(topic: StubTopic) -> None:
    noisy = {"price_fault_share": Decimal(1), "other_item_share": Decimal(1), "interval_seconds": Decimal("0.05")}
    with running_market("black_spire_outpost", price=None, sns_endpoint="http://stub", **noisy):
        wait_until(lambda: len(topic.published) > 30)
    assert len(set(topic.published)) < len(topic.published)
    assert any("DURASTEEL" in body for body in topic.published)
