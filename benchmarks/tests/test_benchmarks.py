"""Every measurement runs, on a durable stack of its own, and says what is expected of it. How fast is not tested."""

import json
import os
import subprocess
import sys

import pytest

from benchmarks.__main__ import MEASUREMENTS
from benchmarks.machine import DURABILITY
from benchmarks.stage import ROOT

#: `pools` does what `chain` does, with four times as many workers to start.
_OTHERS = [name for name in MEASUREMENTS if name not in ("loan_lists", "pools")]


def take(names, results):
    """Take figures on the smallest scale, in a process of their own; returns them as they are written."""
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks", "--scale", "tiny", "--only", *names]
    ran = subprocess.run(
        [*command, "--results", str(results), "--folder", str(ROOT / ".local" / f"benchmarks-{os.getpid()}")],
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=900,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return json.loads((results / "tiny.json").read_text())


@pytest.mark.system
@pytest.mark.timeout(920)
@pytest.mark.parametrize("names", [["loan_lists"], pytest.param(_OTHERS, marks=pytest.mark.proof, id="all")])
def test_figures_are_taken_with_durability_on_and_stand_beside_their_yardsticks(names, tmp_path):
    found = take(names, tmp_path)
    assert list(found) == sorted(f"{MEASUREMENTS[name]} {name}" for name in names)
    for measured in found.values():
        assert all(measured["machine"]["postgresql"][name] == "on" for name in DURABILITY)
        assert measured["figures"][0]["median"] > 0
        assert all(figure["median"] >= 0 and figure["runs"] for figure in measured["figures"])
        yardsticks = [figure["yardstick"] for figure in measured["figures"] if figure["yardstick"]]
        assert yardsticks
        assert all(yardstick["median"] > 0 for yardstick in yardsticks)
        targets = [figure["target"]["words"] for figure in measured["figures"] if figure["target"]]
        assert all(words.endswith(("×", " bytes", " MB")) for words in targets), "a target depends on the machine"
    plots = {f"tiny-{name}.png" for name in ("quiet_tick", "tick_to_claim") if name in names}
    assert {path.name for path in tmp_path.glob("*.png")} == plots
