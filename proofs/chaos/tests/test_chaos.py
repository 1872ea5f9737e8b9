"""A short run of the whole: real processes, two faults that start no process anew, and the verdict."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.proof
@pytest.mark.system
@pytest.mark.timeout(600)
def test_two_faults_under_load_break_no_promise(tmp_path):
    command = [sys.executable, "-m", "proofs.chaos", "--seconds", "30", "--rate", "3", "--folder", str(tmp_path)]
    command += ["--only", "valkey-flushed", "aws-refuses"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=580)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "Everything holds." in ran.stdout
    assert "valkey-flushed and aws-refuses: recovered" in ran.stdout or (
        "aws-refuses and valkey-flushed: recovered" in ran.stdout
    )
    assert "ok     0 promises broken in" in ran.stdout


def test_the_list_of_faults_says_what_each_is():
    ran = subprocess.run(
        [sys.executable, "-m", "proofs.chaos", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "quote-from-9999          a quote from the year 9999 on both markets" in ran.stdout
