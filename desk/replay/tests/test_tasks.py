"""The task does one replay, and lets the next one follow."""

from desk.replay import service
from desk.replay.tasks import replay


def test_after_a_replay_the_task_is_sent_again_and_without_one_it_is_not(enqueued, monkeypatch):
    waiting = [True, False]
    monkeypatch.setattr(service, "work", lambda: waiting.pop(0))
    replay()
    assert enqueued == [(("desk.replay",), {})]
    replay()
    assert len(enqueued) == 1
