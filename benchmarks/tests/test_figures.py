"""What a figure says."""

import io
import json

import pytest
from rich.console import Console

from benchmarks import report
from benchmarks.figures import Curve, Figure, Measured, Plot, percentile

MACHINE = {
    "processor": "a processor", "cores": 2, "memory": "8 GB", "load_before": 0.1, "commit": "abc",
    "uncommitted_changes": False, "python": "3.11", "packages": {"django": "5.2"}, "postgresql": {"fsync": "on"},
}  # fmt: skip


def some_measured(rate=120.0):
    loop = Figure(what="a bare loop", runs=(50.0, 60.0, 40.0), unit="/s")
    figure = Figure(what="sales", runs=(rate, 1.0, 999.0), unit="/s").against(loop).at_least(2)
    curve = Curve("a line", (1.0, 2.0), (3.0, 4.0))
    return Measured(
        figures=(figure,),
        notes=("As it was.",),
        plots=(Plot(name="lines", title="Lines", x_axis="x", y_axis="y", curves=(curve,)),),
    )


def test_the_median_of_the_runs_counts_as_a_multiple_of_its_yardstick():
    (figure,) = some_measured().figures
    assert (figure.value, figure.yardstick.value, figure.times) == (120.0, 50.0, 2.4)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 2), (0.75, 3), (0.99, 4), (1, 4), (0.01, 1)])
def test_a_percentile_is_a_value_that_so_many_do_not_exceed(share, expected):
    assert percentile([4, 1, 3, 2], share) == expected


def test_a_target_is_a_multiple_of_the_yardstick_and_met_at_its_very_edge():
    loop = Figure(what="a bare loop", runs=(4.0,), unit="ms")
    at_edge, beyond = (Figure(what="a call", runs=(took,), unit="ms").against(loop) for took in (10.0, 10.01))
    assert [figure.at_most(2.5).target.met for figure in (at_edge, beyond)] == [True, False]
    assert [figure.at_least(2.5025).target.met for figure in (at_edge, beyond)] == [False, True]
    assert at_edge.at_least(2.5).target.met
    assert (at_edge.at_most(2.5).target.words, at_edge.at_least(0.35).target.words) == ("≤ 2.5×", "≥ 0.35×")


def test_a_multiple_of_no_yardstick_is_never_met():
    alone = Figure(what="a call", runs=(1.0,), unit="ms")
    assert not alone.at_most(1_000_000).target.met
    assert not alone.at_least(0).target.met


def test_bytes_and_memory_have_limits_of_their_own():
    at_edge, beyond = (Figure(what="a row", runs=(size,), unit="bytes") for size in (1_000.0, 1_000.5))
    assert [figure.no_more_than(1_000).target.met for figure in (at_edge, beyond)] == [True, False]
    assert at_edge.no_more_than(1_000).target.words == "≤ 1,000 bytes"


def test_the_table_says_what_was_met_and_what_was_not():
    for rate, word in ((120.0, "yes"), (99.0, "no")):
        console = Console(file=io.StringIO(), width=160)
        report.show(console, {"c chain": some_measured(rate)}, MACHINE)
        printed = console.file.getvalue()
        (row,) = (line for line in printed.splitlines() if "sales" in line)
        assert word in row
        assert "a bare loop: 50.0 /s" in row
        assert "2 cores" in printed
        assert "As it was." in printed


def test_results_of_other_measurements_stay_when_some_are_taken_again(tmp_path):
    report.write(tmp_path, "full", {"a": some_measured(), "b": some_measured()}, MACHINE)
    path = report.write(tmp_path, "full", {"b": some_measured(7.0)}, MACHINE)
    found = json.loads(path.read_text())
    assert [found[name]["figures"][0]["runs"][0] for name in ("a", "b")] == [120.0, 7.0]
    assert found["b"]["machine"]["commit"] == "abc"
    assert (tmp_path / "full-lines.png").read_bytes().startswith(b"\x89PNG")
