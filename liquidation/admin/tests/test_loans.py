"""What the page of a loan shows of pauses of claims."""

import pytest
from django.urls import reverse

from coruscant.admin.tests.bank import make_bank, make_representative

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_a_loans_page_lists_the_claims_that_a_pause_has_withheld(client):
    bank = make_bank()
    client.force_login(make_representative())

    def page_of(loan):
        return client.get(reverse("admin:loans_loan_change", args=(loan.pk,))).content.decode()

    page = page_of(bank.warned)
    assert "Claims that a pause has withheld" in page
    assert page.count("40 GC a unit") == 1
    assert "Pause claims" in page
    assert "40 GC a unit" not in page_of(bank.active)
