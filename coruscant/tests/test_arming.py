"""Failpoints armed through the environment: the right process, the right time, once, and only under DEBUG."""

import importlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from celery.signals import worker_init

from coruscant import arming, celery, wsgi
from coruscant.tests.test_settings import GOOD

ROOT = Path(__file__).resolve().parent.parent.parent
REACHES = """
import os
from coruscant import arming, failpoints
arming.arm(os.environ["FAILPOINT_SIGNAL"])
for name in ("sell.sized", "sell.answered", "sell.booked", "sell.answered", "sell.booked"):
    failpoints.reach(name)
    print(name, flush=True)
"""


def points(told):
    return [line for line in told.splitlines() if line.startswith("sell.")]


def start(armed):
    return subprocess.Popen(
        [sys.executable, "-c", REACHES],
        env={"PATH": os.defpath, "FAILPOINT_SIGNAL": armed},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def test_the_process_dies_where_it_is_told_to_the_second_time(tmp_path):
    process = start(f"kill sell.answered 2 {tmp_path}")
    told, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert points(told) == ["sell.sized", "sell.answered", "sell.booked"]
    pid, at = (tmp_path / "2").read_text().split()
    assert int(pid) == process.pid
    assert time.time() - 30 < float(at) <= time.time()


def test_a_process_that_is_started_again_lives(tmp_path):
    first, again = (start(f"kill sell.sized 1 {tmp_path}") for _ in range(2))
    ended = [points(process.communicate(timeout=30)[0])[-1:] for process in (first, again)]
    assert sorted(process.returncode for process in (first, again)) == [-signal.SIGKILL, 0]
    assert sorted(ended) == [[], ["sell.booked"]]


def test_a_frozen_process_goes_on_when_it_is_continued(tmp_path):
    process = start(f"freeze sell.booked 1 {tmp_path}")
    _, status = os.waitpid(process.pid, os.WUNTRACED)
    assert os.WIFSTOPPED(status)
    process.send_signal(signal.SIGCONT)
    told, _ = process.communicate(timeout=30)
    assert (process.returncode, points(told)[-1]) == (0, "sell.booked")


def test_without_debug_no_process_starts(tmp_path):
    command = [sys.executable, "-m", "celery", "-A", "coruscant", "worker"]
    armed = GOOD | {"FAILPOINT_SIGNAL": f"kill sell.answered 1 {tmp_path}"}
    ended = subprocess.run(command, env=armed, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 1
    assert "Bad configuration: FAILPOINT_SIGNAL makes processes kill themselves" in ended.stderr
    assert list(tmp_path.iterdir()) == []


def test_web_processes_and_workers_are_armed(monkeypatch, settings):
    armed = []
    monkeypatch.setattr(arming, "arm", armed.append)
    settings.FAILPOINT_SIGNAL = "kill posting.locked 1 /tmp"
    importlib.reload(wsgi)
    assert celery._arm_failpoint in [receiver() for _, receiver in worker_init.receivers]
    celery._arm_failpoint()
    assert armed == ["kill posting.locked 1 /tmp"] * 2


@pytest.mark.parametrize(
    "text", ["kill", "kill sell.answered", "kill x 1", "hurt x 1 /tmp", "kill x 0 /tmp", "kill x 1 /no/such"]
)
def test_what_cannot_be_understood_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="must"):
        arming.read(text)


def test_an_empty_text_arms_nothing(monkeypatch):
    monkeypatch.setattr("coruscant.failpoints.arm", pytest.fail)
    arming.arm("")
