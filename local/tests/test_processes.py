"""The commands that the table of processes spells."""

import sys

from local.processes import BEAT, FLOWER, WEB, WORKERS, with_this_python


def test_the_web_is_gunicorn_with_processes_of_threads():
    assert WEB.command("0.0.0.0:4000", "--reuse-port") == (
        "gunicorn", "coruscant.wsgi", "--config", "python:coruscant.web.gunicorn_settings", "--bind", "0.0.0.0:4000",
        "--workers", "2", "--threads", "4", "--reuse-port",
    )  # fmt: skip
    assert WEB.command("0.0.0.0:4000", application="another.wsgi")[1] == "another.wsgi"


def test_a_worker_has_its_queues_and_its_pool_or_another():
    sales = WORKERS["sales"]
    assert sales.command("sales@%h", "--events") == (
        "celery", "-A", "coruscant", "--quiet", "worker", "-Q", "liquidations,events", "--pool", "threads", "-c", "48",
        "-n", "sales@%h", "--without-gossip", "--without-mingle", "--events"
    )  # fmt: skip
    gevent = sales.command("sales@%h", pool=("--pool", "gevent", "-c", "9"))
    assert gevent[7:] == ("--pool", "gevent", "-c", "9", "-n", "sales@%h", "--without-gossip", "--without-mingle")


def test_beat_and_flower_are_told_where():
    assert BEAT.command("/tmp/schedule")[2:] == ("coruscant", "--quiet", "beat", "--schedule", "/tmp/schedule")
    assert FLOWER.command("127.0.0.1", 5555)[4:] == (
        "flower", "--address=127.0.0.1", "--port=5555", "--url_prefix=flower", "--read_only"
    )  # fmt: skip


def test_a_command_runs_as_a_module_of_this_interpreter():
    assert with_this_python(("celery", "beat")) == (sys.executable, "-m", "celery", "beat")


def test_no_worker_is_killed_while_a_task_is_within_its_limits(settings):
    from liquidation.sell import LONGEST_RUN

    last_answer = LONGEST_RUN.total_seconds() + float(settings.MARKET_TIMEOUT_SECONDS)
    assert WORKERS["sales"].grace_seconds > last_answer
    for name in ("prices", "risk"):
        assert WORKERS[name].grace_seconds > settings.CELERY_TASK_TIME_LIMIT
