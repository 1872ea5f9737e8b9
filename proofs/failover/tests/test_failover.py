"""The case that loses the most, with few processes, up to what the statements of the markets name."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.proof
@pytest.mark.system
@pytest.mark.timeout(600)
def test_statements_name_every_trade_that_a_promoted_standby_has_lost(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "proofs.failover", "--short", "--only", "asynchronous"]
    command += ["--folder", str(tmp_path)]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=580)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "asynchronous standby: ok: " in ran.stdout
