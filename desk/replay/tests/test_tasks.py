"""The task does one replay, and lets the next one follow."""

from desk.replay import service
from desk.replay.tasks import replay
from local.processes import WORKERS


def test_after_a_replay_the_task_is_sent_again_and_without_one_it_is_not(enqueued, monkeypatch):
    waiting = [True, False]
    monkeypatch.setattr(service, "work", lambda: waiting.pop(0))
    replay()
    assert enqueued == [(("desk.replay",), {})]
    replay()
    assert len(enqueued) == 1


def test_no_worker_is_killed_within_the_limits_of_a_replay_and_no_broker_gives_it_to_another(settings):
    assert service._SECONDS < replay.soft_time_limit < replay.time_limit < WORKERS["replay"].grace_seconds
    assert replay.time_limit < service._TAKEN_FOR.total_seconds()
    assert replay.time_limit < settings.CELERY_BROKER_TRANSPORT_OPTIONS["visibility_timeout"]
