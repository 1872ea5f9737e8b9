"""The page of a loan, and its evidence: whoever may take it downloads and prints it, and nobody else."""

import html
import re

import pytest
from django.contrib.auth.models import Permission, User
from django.core.cache import cache

from coruscant import clock, history
from coruscant.admin.groups import VIEWERS
from coruscant.admin.tests.bank import make_bank, make_loan, make_person, make_representative, set_price
from desk.evidence.document import evidence_of
from loans.models import Loan
from pricing.tests.builders import BLACK_SPIRE
from pricing.tests.rows import quote_row

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def viewer(client):
    """Somebody who may view loans and take their evidence, and do nothing."""
    person = User.objects.create_user("viewer", is_staff=True)
    person.user_permissions.add(*Permission.objects.filter(codename__in=("view_loan", "take_evidence")))
    client.force_login(person)
    return client


def text_of(response):
    """What a page shows below its heading, without tags."""
    body = response.content.decode().partition('id="content-main"')[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", body)))


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
def test_whoever_only_views_loans_takes_none(page, bank, client):
    client.force_login(make_person("viewer", VIEWERS))
    assert client.get(address(bank.settled.loan, page)).status_code == 403
    shown = client.get(address(bank.settled.loan, "change"))
    assert shown.status_code == 200
    assert address(bank.settled.loan, page) not in shown.content.decode()


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


def test_the_page_of_a_loan_says_where_it_stands_and_what_it_has_and_owes(bank, viewer):
    text = text_of(viewer.get(address(bank.active, "change")))
    for said in (
        "L-active content_copy", "borrower borrower-of-L-active", "LTV now at 50.00 GC a unit", "50.00 %",
        "margin call at 35.71 GC a unit reached after a fall of 28.57 %",
        "liquidation at 31.25 GC a unit reached after a fall of 37.50 %", "missing to 50.00 % 0 units",
        "disbursed 1,000 outstanding 1,000", "posted 40.5", "held 40", "worth now 2,000.00 GC",
    ):  # fmt: skip
        assert said in text, said


def test_the_page_of_a_sold_loan_says_what_became_of_it(bank, viewer):
    text = text_of(viewer.get(address(bank.settled.loan, "change")))
    for said in (
        "LTV at the claim at 31.25 GC a unit", "80.00 %", "proceeds 1,001.25", "surplus for the client 1.25",
        "outstanding 0", "sold, 1 order 33", "to be returned 7", "average price 30.3409 GC a unit",
        "against the quotes of its orders −0.52 %", "Order 1 40 units to Mos Espa, quoted at 30.5 GC a unit",
        "Claimed at 80.00 % (31.25 GC a unit): 1,000 GC owed against 40 units",
    ):  # fmt: skip
        assert said in text, said


def test_what_is_missing_is_said_at_the_price_that_activates_loans(viewer):
    set_price("50")
    quote_row(BLACK_SPIRE, 0, "20", sent_at=clock.now())
    cache.clear()
    with history.cause("test", correlation_id="loan"):
        new = make_loan("L-2", collateral="30", status="new")
    text = text_of(viewer.get(address(new, "change")))
    assert "missing to 50.00 % 70 units" in text, "1000 GC need 100 units at 20 GC, not 40 at 50 GC"
    assert "LTV now at 50.00 GC a unit" in text, "the LTV is that of the best price"
    assert "66.66 %" in text


def test_the_history_of_a_loan_is_one_click_away_and_shows_each_version(bank, viewer):
    assert address(bank.active, "history") in viewer.get(address(bank.active, "change")).content.decode()
    version = bank.active.history.get()
    assert "40 units" in viewer.get(address(bank.active, f"history/{version.pk}")).content.decode()


def test_a_new_loan_says_what_is_missing_until_it_is_active(bank, viewer):
    text = text_of(viewer.get(address(bank.new, "change")))
    assert "not active yet" in text
    assert "applied for 1,000" in text
    assert "missing to 50.00 % 40 units" in text


def test_an_open_margin_call_is_on_the_page(bank, viewer):
    assert "Margin call open since 2026-05-04 10:30:00 UTC" in text_of(viewer.get(address(bank.warned, "change")))
    assert "Margin call open" not in text_of(viewer.get(address(bank.active, "change")))


def test_what_others_wrote_is_text_on_the_page_of_a_loan(bank, viewer):
    with history.cause("<script>alert(1)</script>", correlation_id="x"):
        Loan.objects.filter(pk=bank.active.pk).update(borrower_id="<script>alert(2)</script>")
    shown = viewer.get(address(bank.active, "change")).content.decode()
    assert "<script>alert" not in shown
    assert "&lt;script&gt;alert(2)" in shown


def test_the_page_of_a_loan_takes_a_bounded_number_of_queries(sold, client, django_assert_max_num_queries):
    client.force_login(make_representative())
    shown = address(Loan.objects.get(loan_id=sold), "change")
    client.get(shown)
    with django_assert_max_num_queries(45):
        assert client.get(shown).status_code == 200
    assert client.get(f"{shown}?steps=all").status_code == 200


def test_an_event_that_belongs_to_no_other_step_is_told_by_itself(bank, viewer):
    text = text_of(viewer.get(address(bank.active, "change")))
    assert re.search(r"Event activation event \w{8}… content_copy not sent yet", text)
