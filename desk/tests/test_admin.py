"""Whoever may view loans downloads and prints their evidence; nobody else does."""

import re

import pytest
from django.contrib.auth.models import Permission, User

from coruscant import history
from coruscant.admin.tests.bank import make_bank, make_representative
from desk.evidence.document import evidence_of
from loans.models import Loan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def viewer(client):
    """Somebody who may view loans, and do nothing."""
    person = User.objects.create_user("viewer", is_staff=True)
    person.user_permissions.add(Permission.objects.get(codename="view_loan"))
    client.force_login(person)
    return client


def address(loan, page="evidence"):
    return f"/admin/loans/loan/{loan.pk}/{page}/"


def test_the_button_downloads_the_bytes_of_the_command(bank, viewer):
    for loan in Loan.objects.all():
        shown = viewer.get(address(loan, "change")).content.decode()
        assert re.search(rf'<a href="{address(loan)}"[^>]* download="download"', shown)
        response = viewer.get(address(loan))
        assert response.content == evidence_of(loan.loan_id).body
        assert response["Content-Type"] == "application/json"
        assert response["Content-Disposition"] == f'attachment; filename="evidence-{loan.loan_id}.json"'


def test_the_name_of_the_file_holds_nothing_strange(bank, viewer):
    strange = Loan.objects.get(pk=bank.active.pk)
    strange.loan_id = 'x"\r\n/../é'
    with history.cause("test", correlation_id="strange"):
        strange.save()
    assert viewer.get(address(strange))["Content-Disposition"] == 'attachment; filename="evidence-x____..__.json"'


def test_the_printable_page_shows_what_was_sold_and_why_without_scripts_or_foreign_hosts(bank, viewer):
    for loan in Loan.objects.all():
        assert address(loan, "print-evidence") in viewer.get(address(loan, "change")).content.decode()
        text = viewer.get(address(loan, "print-evidence")).content.decode()
        assert f"Evidence of loan {loan.loan_id}" in text
        assert evidence_of(loan.loan_id).content["sha256"]["evidence"] in text
        assert not re.search(r"<script|<link|<img|https?://|url\(", text)
    sold = viewer.get(address(bank.settled.loan, "print-evidence")).content.decode()
    assert "1000 GC owed against 40 units, LTV 0.8." in sold
    assert "33 units sold for 1001.25 GC." in sold
    assert "surplus 1.25 GC, shortfall 0 GC, 7 units to be returned" in sold
    assert "system: test bank" in sold


def test_what_others_wrote_is_text_on_the_page(bank, viewer):
    with history.cause("<script>alert(1)</script>", correlation_id="x"):
        Loan.objects.filter(pk=bank.active.pk).update(borrower_id="<script>alert(2)</script>")
    text = viewer.get(address(bank.active, "print-evidence")).content.decode()
    assert "<script" not in text
    assert "&lt;script&gt;alert(1)" in text


@pytest.mark.parametrize("page", ["evidence", "print-evidence"])
def test_others_get_nothing(page, bank, client):
    assert client.get(address(bank.settled.loan, page)).status_code == 302
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(address(bank.settled.loan, page)).status_code == 403
    client.force_login(User.objects.create_user("borrower"))
    assert client.get(address(bank.settled.loan, page)).status_code == 302


@pytest.mark.parametrize("page", ["evidence", "print-evidence"])
def test_it_is_read_and_nothing_is_posted(page, bank, viewer):
    assert viewer.post(address(bank.settled.loan, page)).status_code == 403


@pytest.mark.parametrize("page", ["evidence", "print-evidence"])
def test_a_loan_that_is_not_there_has_none(page, viewer):
    assert viewer.get(f"/admin/loans/loan/999999/{page}/").status_code == 404
    assert viewer.get(f"/admin/loans/loan/nonsense/{page}/").status_code == 404


def test_a_representative_keeps_the_other_buttons(bank, client):
    client.force_login(make_representative())
    assert address(bank.active, "post-collateral") in client.get(address(bank.active, "change")).content.decode()
    assert address(bank.settled.loan, "post-collateral") not in (
        client.get(address(bank.settled.loan, "change")).content.decode()
    )
