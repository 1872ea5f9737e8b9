"""What the forger publishes: unreadable means unreadable, and the rest is sound."""

from random import Random

import pytest

from local.demo.settings import Addresses
from local.simulators.exact import read_json
from local.simulators.market.server import MARKETS, MarketOptions, MarketServer
from pricing.feeds import FEEDS
from pricing.feeds.envelope import unwrap
from pricing.feeds.event import ParsedQuote, Unreadable
from pricing.markets import Market
from proofs.chaos.forgery import MARK, Forger, batches


@pytest.fixture
def forger(monkeypatch):
    """A forger who remembers one sound event of each market, and publishes into a list."""
    made = Forger(Addresses(1, 2, 3, 4, 5), "http://nowhere.test", Random(7))
    published = {market: [] for market in MARKETS}
    for market in MARKETS:
        exchange = MarketServer(MarketOptions(market=market)).exchange
        made._memory[market].append(exchange.price_event().body)
    monkeypatch.setattr(made, "remember", lambda: None)
    monkeypatch.setattr(made, "_publish", lambda market, bodies: published[market].extend(bodies))
    return made, published


def read(market, body):
    return FEEDS[Market(market)].parse(unwrap(body), "unit")


@pytest.mark.parametrize("way", ["malformed", "poisonous"])
def test_no_parser_reads_an_unreadable_body_and_each_has_a_mark_of_its_own(forger, way):
    made, published = forger
    getattr(made, way)(400)
    marks = set()
    for market, bodies in published.items():
        assert len(bodies) == 400
        for body in bodies:
            with pytest.raises(Unreadable):
                read(market, body)
            marks.add(body[body.index(MARK) :].split("-")[1])
    assert len(marks) == made.unreadable == 800


@pytest.mark.parametrize("way", ["doubled", "reordered"])
def test_repeated_events_are_sound(forger, way):
    made, published = forger
    getattr(made, way)(5)
    for market, bodies in published.items():
        assert [type(read(market, body)) for body in bodies] == [ParsedQuote] * 5
    assert len(set(published["mos_espa"])) == (1 if way == "doubled" else 5)
    assert made.unreadable == 0


def test_an_event_of_the_year_9999_has_the_last_instant_there_is(forger):
    made, published = forger
    made.from_the_future()
    assert read_json(published["mos_espa"][0])["timestamp"].startswith("9999-12-31T23:59:59")
    for market, (body,) in published.items():
        assert int(read(market, body).market_time) == 253_402_300_799


def test_a_batch_has_ten_bodies_and_240_000_characters_at_most():
    assert [len(batch) for batch in batches(["x"] * 23)] == [10, 10, 3]
    assert [len(batch) for batch in batches(["x" * 100_000] * 5)] == [2, 2, 1]
    assert list(batches([])) == []
