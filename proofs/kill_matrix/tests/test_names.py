"""The matrix has every failpoint of the source, and knows who reaches it."""

import pytest

from proofs.kill_matrix.cells import FROZEN, KILLED_WHOLE, Cell, Fault, cells, interleaved
from proofs.kill_matrix.names import failpoints_in_source, failpoints_of

SPELT_IN_A_PARAMETER = """
def _move(action, point):
    failpoints.reach(f"{action}.locked")

def warn(point):
    return _move("margin_call", point)

def activate(point):
    return _move("activation", point)
"""


def test_every_failpoint_in_the_source_has_both_its_cells():
    failpoints = failpoints_in_source()
    assert {"sell.answered", "margin_call_cleared.written", "enqueue.sent"} <= set(failpoints)
    assert len(failpoints) >= 40
    kills = {(cell.failpoint, cell.time) for cell in cells(failpoints) if cell.fault is Fault.KILL}
    assert kills == {(name, time) for name in failpoints for time in (1, 2)}


def test_what_is_killed_whole_or_frozen_is_a_failpoint():
    assert set(KILLED_WHOLE) | set(FROZEN) <= set(failpoints_in_source())


def test_a_name_with_a_parameter_is_spelt_out():
    assert failpoints_of(SPELT_IN_A_PARAMETER) == ["margin_call.locked", "activation.locked"]
    assert failpoints_of("def f():\n    failpoints.reach('a.b')\n") == ["a.b"]


@pytest.mark.parametrize(
    "source",
    [
        "def f(name):\n    failpoints.reach(name)\n",
        "def f():\n    failpoints.reach('a.' + 'b')\n",
        "def f(a):\n    failpoints.reach(f'{a}.b')\n\ndef g(x):\n    f(x)\n",
    ],
)
def test_a_name_that_cannot_be_read_is_an_error(source):
    with pytest.raises(ValueError, match="cannot be read"):
        failpoints_of(source)


def test_a_failpoint_whose_processes_are_unknown_is_an_error():
    with pytest.raises(KeyError):
        cells(["cantina.entered"])


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        ("sell.answered:1", True),
        ("sell.*", True),
        ("kill *", True),
        ("*@sales", True),
        ("sell.answered:2", False),
        ("freeze *", False),
    ],
)
def test_cells_are_chosen_by_patterns(pattern, fits):
    assert Cell(Fault.KILL, "sell.answered", 1, "sales").fits(pattern) is fits


def test_mixing_loses_no_cell_and_puts_other_roles_between_those_of_one():
    chosen = cells(failpoints_in_source())
    played = interleaved(chosen)
    assert sorted(map(str, played)) == sorted(map(str, chosen))
    assert len({cell.role for cell in played[:4]}) == 4
