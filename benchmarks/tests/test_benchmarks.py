"""The benchmarks run, on a durable stack of their own, and say what they are asked for. How fast is not tested here."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.machine import DURABILITY
from benchmarks.stage import ROOT

#: Those that start no processes of the service, so that this takes a few seconds.
CHOSEN = ("quiet_tick", "ingestion")


@pytest.mark.system
@pytest.mark.timeout(300)
def test_figures_are_taken_with_durability_on_and_stand_beside_their_yardsticks(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks", "--scale", "tiny", "--only", *CHOSEN]
    ran = subprocess.run(
        [*command, "--results", str(tmp_path), "--folder", str(ROOT / ".local" / f"benchmarks-{os.getpid()}")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=280,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads((tmp_path / "tiny.json").read_text())
    assert list(found) == sorted(f"{MEASUREMENTS[name]} {name}" for name in CHOSEN)
    for measured in found.values():
        assert all(measured["machine"]["postgresql"][name] == "on" for name in DURABILITY)
        assert all(figure["median"] > 0 and figure["runs"] for figure in measured["figures"])
    assert all(found[name]["figures"][0]["yardstick"]["median"] > 0 for name in found)
    assert (tmp_path / "tiny-quiet_tick.png").exists()
