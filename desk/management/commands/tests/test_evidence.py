"""The command prints the bytes that the button downloads."""

import pytest
from django.core.management import CommandError, call_command

from desk.evidence.document import evidence_of
from loans.tests.factories import LoanFactory

pytestmark = pytest.mark.django_db


def test_it_prints_the_document_and_nothing_else(capsysbinary):
    LoanFactory(loan_id="Žižkov-1", borrower_id="é")
    call_command("evidence", "Žižkov-1")
    printed = capsysbinary.readouterr().out
    assert printed == evidence_of("Žižkov-1").body
    assert "Žižkov-1".encode() in printed


def test_an_unknown_loan_is_an_error_and_prints_nothing(capsysbinary):
    with pytest.raises(CommandError, match="There is no loan nobody") as refused:
        call_command("evidence", "nobody")
    assert refused.value.returncode == 1
    assert capsysbinary.readouterr().out == b""
