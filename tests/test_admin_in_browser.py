"""The admin and the API's pages in a real Chromium, as a representative sees them.

With SCREENSHOTS=<folder> in the environment the pages are also kept as pictures.
"""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, Page, expect

from coruscant.admin.groups import COMMANDS
from coruscant.admin.tests.bank import Bank, make_bank
from loans.models import CollateralPosting, Loan
from tests.browser import LAPTOP, MARKS, PATIENCE_MS, keep, log_in, make_account, open_chromium, watched_page

pytestmark = MARKS

chromium = pytest.fixture(open_chromium, scope="module")


@pytest.fixture
def bank(settings) -> Bank:
    settings.PRICE_MAX_AGE_SECONDS, settings.FEED_MAX_LAG_SECONDS = 3600, 7200
    return make_bank()


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said of errors, and what could not be loaded."""
    return []


@pytest.fixture
def page(chromium: Browser, live_server, complaints: list[str]) -> Iterator[Page]:
    make_account("ahsoka", *COMMANDS)
    context = chromium.new_context(base_url=live_server.url, viewport=LAPTOP)
    yield watched_page(context, live_server.url, complaints)
    context.close()


def test_a_representative_works_with_loans(page, bank, complaints):
    log_in(page, "ahsoka")
    keep(page, "admin-index")

    page.goto("/admin/loans/loan/")
    row = page.locator("tr", has_text="L-active")
    expect(row).to_contain_text("50.00 %")
    keep(page, "admin-loans")

    page.get_by_role("link", name="Register application").first.click()
    page.get_by_label("Loan id").fill("L-77")
    page.get_by_label("Borrower id").fill("cad-bane")
    page.get_by_label("Amount").fill("500")
    keep(page, "admin-register")
    page.get_by_role("button", name="Register").click()
    expect(page.get_by_text("is registered as loan L-77.")).to_be_visible()

    page.get_by_role("link", name="L-77").first.click()
    page.get_by_role("link", name="Post collateral").first.click()
    page.get_by_label("Amount").fill("20.25")
    page.get_by_role("button", name="Post").click()
    expect(page.get_by_text("20.25 units are posted for loan L-77.")).to_be_visible()
    expect(page.get_by_text("49.38 %", exact=True)).to_be_visible()
    keep(page, "admin-loan")

    page.locator("a[href$='/history/']").first.click()
    expect(page.locator("#change-history")).to_contain_text("new → active")
    expect(page.locator("#change-history")).to_contain_text("ahsoka")
    keep(page, "admin-history")

    loan = Loan.objects.get(loan_id="L-77")
    assert (loan.status, loan.collateral) == ("active", Decimal("20.25"))
    assert CollateralPosting.objects.filter(loan=loan).count() == 1
    assert complaints == []


def test_a_representative_answers_for_an_order(page, bank, complaints):
    log_in(page, "ahsoka")
    page.goto("/admin/liquidation/liquidation/")
    expect(page.locator("tr", has_text="L-waiting")).to_contain_text("order unresolved", ignore_case=True)
    keep(page, "admin-liquidations")
    page.goto(f"/admin/liquidation/liquidation/{bank.waiting.pk}/change/")
    keep(page, "admin-liquidation")
    page.get_by_role("link", name="No. 3").click()
    keep(page, "admin-order")
    page.get_by_role("link", name="Market did trade").first.click()
    page.get_by_label("Units traded").fill("32")
    page.get_by_label("Proceeds").fill("970")
    keep(page, "admin-resolve")
    page.get_by_role("button", name="Book the trade").click()
    expect(page.get_by_text("Booked: the market traded 32 units for 970 GC.")).to_be_visible()
    bank.unresolved.refresh_from_db()
    assert bank.unresolved.status == "filled"
    assert complaints == []


def test_an_outage_is_on_top_of_the_page(page, bank, settings):
    settings.PRICE_MAX_AGE_SECONDS = settings.FEED_MAX_LAG_SECONDS = 0
    log_in(page, "ahsoka")
    expect(page.get_by_text("No live price: nothing new is claimed since")).to_be_visible()
    keep(page, "admin-outage")


def test_the_api_documents_itself_without_the_internet(page, complaints):
    page.goto("/docs")
    expect(page.locator("#operations-tag-loans, .opblock").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("/loan-applications").first).to_be_visible()
    keep(page, "docs")
    assert complaints == []
