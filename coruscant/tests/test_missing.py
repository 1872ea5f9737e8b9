"""Notes of what is missing: seen by all processes, and ending by themselves."""

import pytest

from coruscant import missing


@pytest.fixture
def clock(monkeypatch):
    """The clock of the notes, in seconds."""
    now = [1000.0]
    monkeypatch.setattr(missing.time, "time", lambda: now[0])
    return now


def test_what_is_noted_is_missing_until_it_is_forgotten(clean_cache):
    assert missing.names() == []
    missing.note("queue")
    missing.note("a topic")
    assert missing.names() == ["a topic", "queue"]
    with pytest.raises(missing.SomethingMissing, match="a topic, queue"):
        missing.require_none()
    missing.forget("queue")
    missing.forget("never noted")
    assert missing.names() == ["a topic"]
    missing.forget("a topic")
    missing.require_none()


def test_a_note_that_nobody_repeats_ends_though_others_are_written(clean_cache, clock):
    missing.note("queue")
    clock[0] += 20
    missing.note("topic")
    clock[0] += 20
    assert missing.names() == ["topic"]


def test_without_a_cache_nothing_is_noted_and_nothing_fails(settings):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    missing.note("queue")
    missing.forget("queue")
    assert missing.names() == []
