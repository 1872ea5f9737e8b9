"""What representatives see of statements and differences, and how they ask for what needs two."""

from datetime import timedelta

import pytest
from django.urls import reverse

from coruscant import clock, history
from coruscant.admin.tests.bank import make_representative
from coruscant.approvals.models import Approval
from liquidation.reconciliation.models import Reconciliation, ReconciliationDifference, StatementTrade
from loans.tests.factories import LoanFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def difference():
    now = clock.now()
    statement = Reconciliation.objects.create(
        market="mos_espa", period_from=now - timedelta(days=1), period_to=now, digest="0" * 64, trades=1, units=8,
        proceeds=200, compared_at=now, compared_by="leia",
    )  # fmt: skip
    trade = {"market": "mos_espa", "request_id": "r-1", "units": 8, "proceeds": 200, "traded_at": now}
    StatementTrade.objects.create(reconciliation=statement, **trade)
    with history.cause("reconcile", correlation_id="test"):
        return ReconciliationDifference.objects.create(
            reconciliation=statement, kind="unknown", loan=LoanFactory(collateral=40), number=2, found_at=now, **trade
        )


@pytest.fixture
def browser(client):
    client.force_login(make_representative())
    return client


def page(row, name="change"):
    address = f"admin:{row._meta.app_label}_{row._meta.model_name}_{name}"
    return reverse(address, args=() if name == "changelist" else (row.pk,))


def test_every_page_opens_and_the_overview_counts_what_is_open(difference, browser):
    for row in (difference, difference.reconciliation, StatementTrade.objects.get()):
        for name in ("changelist", "change"):
            assert browser.get(page(row, name)).status_code == 200
    assert "Open differences" in browser.get(reverse("admin:index")).content.decode()


def test_adopting_and_explaining_are_asked_for_and_nothing_is_done_yet(difference, browser):
    for name, sent in (("adopt", {"why": "so"}), ("explain", {"note": "paid back", "why": "so"})):
        address = reverse(f"admin:liquidation_reconciliationdifference_{name}", args=(difference.pk,))
        assert browser.get(address).status_code == 200
        assert browser.post(address, sent).status_code == 302
    asked = {approval.action: approval for approval in Approval.objects.all()}
    assert set(asked) == {"liquidation.adopt", "liquidation.explain"}
    assert "the loan's no. 2" in asked["liquidation.adopt"].effect
    assert "paid back" in asked["liquidation.explain"].effect
    difference.refresh_from_db()
    assert difference.status == "open"


def test_what_cannot_be_adopted_can_only_be_explained_and_what_is_closed_neither(difference, browser):
    both = ("/adopt", "/explain")
    assert all(name in browser.get(page(difference)).content.decode() for name in both)
    with history.cause("test", correlation_id="test"):
        ReconciliationDifference.objects.update(loan=None)
    text = browser.get(page(difference)).content.decode()
    assert "/adopt" not in text
    assert "/explain" in text
    with history.cause("test", correlation_id="test"):
        ReconciliationDifference.objects.update(status="gone", closed_at=clock.now())
    assert not any(name in browser.get(page(difference)).content.decode() for name in both)
