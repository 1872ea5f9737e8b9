"""Every measurement runs, on a durable stack of its own, and says what is expected of it. How fast is not tested."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.machine import DURABILITY
from benchmarks.stage import ROOT


@pytest.mark.system
@pytest.mark.timeout(420)
def test_figures_are_taken_with_durability_on_and_have_yardsticks(tmp_path):
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks", "--scale", "tiny"]
    ran = subprocess.run(
        [*command, "--results", str(tmp_path), "--folder", str(ROOT / ".local" / f"benchmarks-{os.getpid()}")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=400,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads((tmp_path / "tiny.json").read_text())
    assert list(found) == sorted(f"{letter} {name}" for name, letter in MEASUREMENTS.items())
    for measured in found.values():
        assert all(measured["machine"]["postgresql"][name] == "on" for name in DURABILITY)
        assert measured["figures"][0]["median"] > 0
        assert all(figure["median"] >= 0 and figure["runs"] for figure in measured["figures"])
        yardsticks = [figure["yardstick"] for figure in measured["figures"] if figure["yardstick"]]
        assert yardsticks
        assert all(yardstick["median"] > 0 for yardstick in yardsticks)
        targets = [figure["target"]["words"] for figure in measured["figures"] if figure["target"]]
        assert all(words.endswith(("×", " bytes", " MB")) for words in targets), (
            "a target depends on the machine's speed"
        )
    assert {path.name for path in tmp_path.glob("*.png")} == {"tiny-quiet_tick.png", "tiny-tick_to_claim.png"}
