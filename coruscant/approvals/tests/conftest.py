"""A loan, an action on it, and two people."""

import pytest

from coruscant.approvals import actions
from coruscant.approvals.ask import ask
from coruscant.approvals.tests.support import CHANGE_BORROWER, NAME, representative
from loans.tests.factories import LoanFactory


@pytest.fixture(autouse=True)
def change_borrower(monkeypatch):
    monkeypatch.setitem(actions._actions, NAME, CHANGE_BORROWER)


@pytest.fixture
def loan(db):
    return LoanFactory(loan_id="L-1", borrower_id="lando")


@pytest.fixture
def ahsoka(db):
    return representative("ahsoka")


@pytest.fixture
def mace(db):
    return representative("mace")


@pytest.fixture
def asked(loan, ahsoka):
    """`asked()`: ahsoka asks that the loan becomes one of han."""

    def make(borrower_id="han", **how):
        arguments = {"loan_id": loan.loan_id, "borrower_id": borrower_id}
        return ask(NAME, arguments, **({"why": "sold the Falcon", "asked_by": ahsoka} | how))

    return make
