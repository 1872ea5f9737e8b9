"""Who is alive, who has fallen silent, and what of Redis is not believed."""

import time

import pytest
from django.core.cache import cache
from redis.exceptions import RedisError
from structlog.testing import capture_logs

from coruscant.monitoring import signs_of_life
from coruscant.monitoring.signs_of_life import BEAT, Signs


@pytest.fixture
def later(monkeypatch, clean_cache):
    """Let time pass: `later(20)`."""
    began, passed = time.time(), [0.0]
    monkeypatch.setattr(signs_of_life.time, "time", lambda: began + passed[0])

    def advance(seconds):
        passed[0] += seconds

    return advance


def test_a_process_is_alive_then_silent_then_forgotten(later):
    signs_of_life.give([BEAT], "one")
    assert signs_of_life.read()[BEAT] == Signs(alive=1, silent=0, last_seconds=0)
    later(16)
    signs_of_life.give([BEAT], "another")
    assert signs_of_life.read()[BEAT] == Signs(alive=1, silent=1, last_seconds=0)
    later(599)
    assert signs_of_life.read()[BEAT] == Signs(alive=0, silent=1, last_seconds=599)
    later(10)
    assert signs_of_life.read()[BEAT] == Signs()


def test_a_worker_counts_for_each_of_its_queues(later):
    signs_of_life.give(["risk", "maintenance"], "risk@here")
    alive = {kind for kind, found in signs_of_life.read().items() if found.alive}
    assert alive == {"risk", "maintenance"}
    assert set(signs_of_life.read()) == {BEAT, "prices", "risk", "liquidations", "events", "maintenance", "replay"}


def test_a_process_that_is_started_again_is_not_silent_beside_itself(later):
    signs_of_life.give([BEAT], "one")
    later(100)
    signs_of_life.give([BEAT], "one")
    assert signs_of_life.read()[BEAT] == Signs(alive=1, silent=0, last_seconds=0)


def test_a_process_that_stops_as_it_should_is_forgotten_at_once(later):
    signs_of_life.give(["prices"], "prices@here")
    signs_of_life.end(["prices"], "prices@here")
    assert signs_of_life.read()["prices"] == Signs()


def test_what_was_planted_is_not_believed(later):
    planted = {"beat": 1, "|": 1, "beat|a|b": 1, "../|x": 1, "BEAT|x": 1, "nobody|x": 1, b"\xff|x": 1}
    in_time = {member: time.time() for member in planted}
    cache.redis.zadd(cache.make_key("signs-of-life"), in_time)
    assert set(signs_of_life.read().values()) == {Signs()}


@pytest.mark.parametrize("planted", ["a text", ["a list"]])
def test_what_was_planted_in_place_of_the_signs_is_removed_by_whoever_reads_or_gives_one(later, intruder, planted):
    key = cache.make_key("signs-of-life")

    def plant():
        intruder.set(key, planted) if isinstance(planted, str) else intruder.rpush(key, *planted)

    plant()
    assert set(signs_of_life.read().values()) == {Signs()}
    plant()
    with capture_logs() as logged:
        signs_of_life.give([BEAT], "one")
    assert [(line["event"], line["key"]) for line in logged] == [("cache_value_refused", key)]
    assert signs_of_life.read()[BEAT] == Signs(alive=1, silent=0, last_seconds=0)


@pytest.mark.parametrize(("ahead", "kept"), [(float("inf"), 0), (1e300, 0), (3600, 0), (300, 1), (6, 1)])
def test_a_sign_from_the_future_is_none_and_in_the_end_forgotten(later, intruder, ahead, kept):
    """Not at once: whose clock is slow would take away the signs of everybody else."""
    key = cache.make_key("signs-of-life")
    intruder.zadd(key, {"beat|forged": time.time() + ahead})
    assert signs_of_life.read()[BEAT] == Signs()
    signs_of_life.give(["prices"], "prices@here")
    assert intruder.zcard(key) == 1 + kept


def test_a_clock_that_is_a_little_ahead_makes_no_process_silent(later, intruder):
    key = cache.make_key("signs-of-life")
    intruder.zadd(key, {"beat|elsewhere": time.time() + 2})
    assert signs_of_life.read()[BEAT] == Signs(alive=1, silent=0, last_seconds=0)


def test_any_number_that_is_planted_leaves_the_newest_to_be_read(later, intruder, monkeypatch):
    key = cache.make_key("signs-of-life")
    monkeypatch.setattr(signs_of_life, "MOST_SIGNS", 3)
    intruder.zadd(key, {f"beat|{number}": time.time() - 20 for number in range(10)})
    signs_of_life.give([BEAT], "one")
    assert signs_of_life.read()[BEAT] == Signs(alive=1, silent=2, last_seconds=0)


def test_without_redis_signs_are_given_in_vain_and_reading_says_so(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    signs_of_life.give([BEAT], "one")
    signs_of_life.end([BEAT], "one")
    with pytest.raises(RedisError):
        signs_of_life.read()
