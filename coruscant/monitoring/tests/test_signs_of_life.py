"""Who is alive, who has fallen silent, and what of Redis is not believed."""

import time

import pytest
from django.core.cache import cache
from redis.exceptions import RedisError

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


def test_without_redis_signs_are_given_in_vain_and_reading_says_so(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    signs_of_life.give([BEAT], "one")
    signs_of_life.end([BEAT], "one")
    with pytest.raises(RedisError):
        signs_of_life.read()
