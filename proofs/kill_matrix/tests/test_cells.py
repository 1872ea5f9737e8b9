"""A share of the matrix: real processes, killed and made good."""

import pytest
from django.db import connections

from proofs.kill_matrix.cells import Cell, Fault
from proofs.kill_matrix.outcome import Outcome
from proofs.kill_matrix.play import CellRunner
from proofs.kill_matrix.report import line, summary
from proofs.service.running_service import SHORT

SELL = Cell(Fault.KILL, "sell.answered", 2, "sales")
#: One of each kind of fault and of each kind of process.
MORE = [
    Cell(Fault.KILL, "claim.written", 1, "risk"),
    Cell(Fault.KILL, "posting.committed", 1, "web"),
    Cell(Fault.KILL_ALL, "ingest.recorded", 2, "prices"),
    Cell(Fault.FREEZE, "sell.answered", 1, "sales"),
]


@pytest.fixture
def runner(stack, transactional_db):
    template = f"{connections['default'].settings_dict['NAME']}_template"
    return CellRunner(stack, template, "test_kill_matrix", SHORT)


@pytest.mark.system
@pytest.mark.timeout(240)
@pytest.mark.parametrize("cell", [SELL, *(pytest.param(cell, marks=pytest.mark.proof) for cell in MORE)], ids=str)
def test_a_killed_process_is_made_good(runner, cell):
    outcome = runner.play(cell)
    assert outcome.complaints == []
    assert outcome.victim.startswith(f"{cell.role}-1")
    assert outcome.seconds < 60


def test_a_row_says_who_died_and_what_was_broken():
    good = Outcome(SELL, "sales-1, the process itself", 12.34)
    bad = Outcome(SELL, "", None, ["not within 60 s: all are sold\nlogs", "the failpoint was not reached"])
    assert line(good).split("  ")[-1] == "ok"
    assert "kill sell.answered:2@sales" in line(good)
    assert line(bad).endswith("BROKEN not within 60 s: all are sold; the failpoint was not reached")
    assert summary([good, bad], 90) == (
        "2 cells in 2 minutes, 1 broke a promise; the longest recovery took 12.3 s (kill sell.answered:2@sales)"
    )
