"""The command line asks, and can do no more."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from coruscant.approvals import actions
from coruscant.approvals.decide import agree
from coruscant.approvals.models import Approval
from coruscant.approvals.people import SamePerson
from coruscant.approvals.tests.support import CHANGE_BORROWER, NAME, log_in, representative
from loans.models import Loan
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db

ARGUMENTS = '{"loan_id": "L-1", "borrower_id": "han"}'


@pytest.fixture(autouse=True)
def loan(db, monkeypatch):
    monkeypatch.setitem(actions._actions, NAME, CHANGE_BORROWER)
    return LoanFactory(loan_id="L-1", borrower_id="lando")


def run(action=NAME, arguments=ARGUMENTS, user="ahsoka", why="because"):
    printed = StringIO()
    call_command("ask_approval", action, arguments, user=user, why=why, stdout=printed)
    return printed.getvalue()


def test_it_asks_in_a_persons_name_and_says_where_it_is_agreed_to():
    person = representative("ahsoka")
    printed = run()
    approval = Approval.objects.get()
    assert "The loan L-1 of lando becomes one of han." in printed
    assert f"/admin/approvals/approval/{approval.pk}/change/" in printed
    assert (approval.asked_by_id, approval.on_command_line, approval.outcome) == (person.pk, True, "asked")
    assert Loan.objects.get().borrower_id == "lando"


def test_the_person_it_names_cannot_agree_to_it():
    person = representative("ahsoka")
    run()
    with pytest.raises(SamePerson):
        agree(Approval.objects.get().pk, request=log_in(person))


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"user": "nobody"}, "There is no account nobody."),
        ({"action": "tests.nothing"}, f"The actions are: .*{NAME}"),
        ({"arguments": "{"}, "not JSON"),
        ({"arguments": '{"loan_id": "L-2", "borrower_id": "han"}'}, "There is no loan L-2."),
        ({"why": " "}, "Say why"),
    ],
)
def test_what_cannot_be_asked_is_said_in_a_sentence(changed, said):
    representative("ahsoka")
    with pytest.raises(CommandError, match=said):
        run(**changed)
    assert not Approval.objects.exists()
