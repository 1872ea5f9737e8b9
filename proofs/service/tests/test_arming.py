"""Failpoints armed through the environment: the right process, the right time, once."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from coruscant.tests.test_settings import GOOD
from proofs.service import arming

ROOT = Path(__file__).resolve().parents[3]
REACHES = """
import os
from coruscant import failpoints
from proofs.service import arming
arming.arm(os.environ["FAILPOINT_SIGNAL"])
for name in ("sell.sized", "sell.answered", "sell.booked", "sell.answered", "sell.booked"):
    failpoints.reach(name)
    print(name, flush=True)
"""
LOADS_THE_SERVICE = """
import {module}
from coruscant import failpoints
failpoints.reach("sell.answered")
"""


def points(output):
    return [line for line in output.splitlines() if line.startswith("sell.")]


def start(armed):
    return subprocess.Popen(
        [sys.executable, "-c", REACHES],
        env={"PATH": os.defpath, "FAILPOINT_SIGNAL": armed},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    )


def load(module, **environment):
    return subprocess.run(
        [sys.executable, "-c", LOADS_THE_SERVICE.format(module=module)],
        env=GOOD | environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_process_dies_at_its_failpoint_the_second_time(tmp_path):
    process = start(f"kill sell.answered 2 {tmp_path}")
    output, _ = process.communicate(timeout=30)
    assert process.returncode == -signal.SIGKILL
    assert points(output) == ["sell.sized", "sell.answered", "sell.booked"]
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
    output, _ = process.communicate(timeout=30)
    assert (process.returncode, points(output)[-1]) == (0, "sell.booked")


@pytest.mark.parametrize(
    "module", ["coruscant.wsgi", "coruscant.celery as celery; celery.app.loader.import_default_modules()"]
)
def test_web_processes_and_workers_are_armed_by_the_proofs_settings(module, tmp_path):
    armed = {"FAILPOINT_SIGNAL": f"kill sell.answered 1 {tmp_path}"}
    assert load(module, DJANGO_SETTINGS_MODULE="proofs.service.settings", **armed).returncode == -signal.SIGKILL
    assert (tmp_path / "1").exists()


@pytest.mark.parametrize(
    "module", ["coruscant.wsgi", "coruscant.celery as celery; celery.app.loader.import_default_modules()"]
)
def test_the_service_itself_knows_nothing_of_it(module, tmp_path):
    loaded = load(module, FAILPOINT_SIGNAL=f"kill sell.answered 1 {tmp_path}")
    assert loaded.returncode == 0, loaded.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "text", ["", "kill", "kill sell.answered", "kill x 1", "hurt x 1 /tmp", "kill x 0 /tmp", "kill x 1 /no/such"]
)
def test_a_text_that_cannot_be_parsed_is_refused_with_a_sentence(text):
    with pytest.raises(ValueError, match="must"):
        arming.read(text)


def test_such_a_process_ends_at_start_with_that_sentence():
    ended = load("coruscant.wsgi", DJANGO_SETTINGS_MODULE="proofs.service.settings", FAILPOINT_SIGNAL="hurt x 1 /tmp")
    assert ended.returncode == 1
    assert ended.stderr.startswith("Bad configuration: FAILPOINT_SIGNAL must be like")
