"""The cache with one client for all calls, and what becomes of values that others have put into Redis."""

import pickle
import time
from datetime import timedelta
from unittest.mock import patch

import pytest
from django.core.cache import cache
from redis import Redis
from structlog.testing import capture_logs

from coruscant import clock
from coruscant.monitoring import signs_of_life
from liquidation import last_send
from pricing import best_price, price_alerts
from pricing.tests.builders import MOS_ESPA
from pricing.tests.rows import quote_row

pytestmark = pytest.mark.usefixtures("clean_cache")


@pytest.fixture
def redis(intruder):
    return intruder


class Bomb:
    """Its pickle, once it is read, makes a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture
def bomb(tmp_path):
    """The bytes of a pickle, and whether anything has run it."""
    path = tmp_path / "ran"
    planted = pickle.dumps(Bomb(path))
    pickle.loads(planted)
    assert path.exists(), "it runs where it is unpickled"
    path.unlink()
    yield planted
    assert not path.exists()


@pytest.fixture
def asked(monkeypatch):
    """The keys that are read, by any thread."""
    keys, mget, zrange = [], Redis.mget, Redis.zrange
    monkeypatch.setattr(Redis, "mget", lambda self, names: keys.extend(names) or mget(self, names))
    monkeypatch.setattr(
        Redis, "zrange", lambda self, name, *args, **how: keys.append(name) or zrange(self, name, *args, **how)
    )
    return keys


def read_everything(client):
    """Whatever of the service reads the cache."""
    ready = client.get("/health/ready")
    snapshot = best_price.snapshot()
    price_alerts.log_changes(snapshot, snapshot.price_at(clock.now()), clock.now())
    return ready.json()["checks"]["cache"], snapshot, last_send.missing(), signs_of_life.read()


@pytest.mark.django_db
@pytest.mark.parametrize("planted", ["pickle", b"", b"7", b"\xff\xfe", b'{"quotes": []}', b"\x00" * 32 + b"[null, 1]"])
def test_what_is_planted_under_any_key_that_is_read_is_a_miss(client, redis, bomb, asked, planted):
    planted = bomb if planted == "pickle" else planted
    quote_row(MOS_ESPA, -1, "50")
    truth = read_everything(client)
    assert truth[1].judged.quotes
    keys = set(asked)
    assert len(keys) >= 8
    for known in (":health", ":pricing.best_price.", ":liquidation.last_counted_send.", ":signs-of-life"):
        assert any(known in key for key in keys), known
    for key in keys:
        redis.set(key, planted)
    with capture_logs() as logged:
        assert read_everything(client) == truth
    assert {line["key"] for line in logged if line["event"] == "cache_value_refused"} == keys


@pytest.mark.parametrize("value", ["text", "", 7, None, True, ["a", 1.5]])
def test_what_json_can_write_is_found_by_the_same_client(value):
    client = cache.redis
    cache.set("droid", value)
    assert cache.get("droid", "missing") == value
    assert cache.get_many(["droid", "other"]) == {"droid": value}
    assert cache._cache.get_client("droid") is client
    assert cache.delete("droid")
    assert cache.get("droid", "gone") == "gone"


def test_several_values_are_kept_at_once():
    cache.set_many({"a": 1, "b": "two"}, timeout=60)
    assert cache.get_many(["a", "b", "c"]) == {"a": 1, "b": "two"}


def test_nothing_else_can_be_kept():
    with pytest.raises(TypeError):
        cache.set("droid", timedelta(1))
    assert cache.get("droid") is None


def test_a_value_is_believed_under_its_own_key_alone(redis):
    cache.set("price", "50")
    redis.set(cache.make_key("other"), redis.get(cache.make_key("price")))
    assert (cache.get("price"), cache.get("other")) == ("50", None)


def test_a_value_is_believed_only_until_its_time_out(redis, monkeypatch):
    cache.set("price", "50", timeout=5)
    old = redis.get(cache.make_key("price"))
    redis.set(cache.make_key("price"), old)  # now Redis keeps it for ever
    assert cache.get("price") == "50"
    later = time.time() + 5
    monkeypatch.setattr(time, "time", lambda: later)
    assert cache.get("price") is None


def test_a_value_of_another_secret_key_is_a_miss(settings):
    cache.set("price", "50", timeout=None)
    assert cache.get("price") == "50"
    settings.SECRET_KEY = "another"
    assert cache.get("price") is None


def old_value(redis, key):
    """What was kept until five seconds ago, and is now kept for ever."""
    with patch.object(time, "time", return_value=time.time() - 10):
        cache.set("alert", 1, timeout=5)
    redis.persist(key)


@pytest.mark.parametrize(
    "plant",
    [
        lambda redis, key: redis.set(key, b"1"),
        lambda redis, key: redis.rpush(key, "never read as a value"),
        lambda redis, key: redis.hset(key, "never", "read"),
        old_value,
    ],
    ids=["text", "list", "hash", "old value"],
)
def test_what_was_planted_does_not_keep_an_alert_from_being_logged_once(redis, plant):
    plant(redis, cache.make_key("alert"))
    assert cache.get_many(["alert"]) == {}
    plant(redis, cache.make_key("alert"))
    assert cache.add("alert", 1, timeout=None)
    assert not cache.add("alert", 1, timeout=None)


def test_calls_are_counted_apart_from_what_is_sealed(redis):
    assert [cache.count("calls", 1, 60), cache.count("calls", 1, 60), cache.count("calls", -1, 60)] == [1, 2, 1]
    assert 0 < redis.ttl(cache.make_key("calls")) <= 60


def test_neither_counts_nor_time_outs_can_be_changed_behind_the_seal():
    cache.set("calls", 1)
    with pytest.raises(NotImplementedError):
        cache.incr("calls")
    with pytest.raises(NotImplementedError):
        cache.touch("calls", 10)
