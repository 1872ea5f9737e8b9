"""A share of the matrix: real processes, killed and made good."""

import pytest
from django.db import connections

from proofs.kill_matrix.cells import Cell, Deed
from proofs.kill_matrix.outcome import Outcome
from proofs.kill_matrix.play import Room
from proofs.kill_matrix.report import line, summary
from proofs.service.running_service import SHORT

SELL = Cell(Deed.KILL, "sell.answered", 2, "sales")


@pytest.fixture
def room(stack, transactional_db):
    template = f"{connections['default'].settings_dict['NAME']}_template"
    return Room(stack, template, "test_kill_matrix", SHORT)


@pytest.mark.system
@pytest.mark.timeout(240)
@pytest.mark.parametrize("cell", [SELL, Cell(Deed.KILL, "claim.written", 1, "risk")], ids=str)
def test_a_killed_process_is_made_good(room, cell):
    outcome = room.play(cell)
    assert outcome.complaints == []
    assert outcome.victim.startswith(f"{cell.role}-1, ")
    assert outcome.seconds < 60


def test_a_row_tells_who_died_and_what_was_broken():
    good = Outcome(SELL, "sales-1, the process itself", 12.34)
    bad = Outcome(SELL, "", None, ["not within 60 s: all are sold\nlogs", "the failpoint was not reached"])
    assert line(good).split("  ")[-1] == "ok"
    assert "kill sell.answered:2@sales" in line(good)
    assert line(bad).endswith("BROKEN not within 60 s: all are sold; the failpoint was not reached")
    assert summary([good, bad], 90) == (
        "2 cells in 2 minutes, 1 broke a promise; the longest recovery took 12.3 s (kill sell.answered:2@sales)"
    )
