"""The admin and the API's pages in a real Chromium, as a representative sees them.

With SCREENSHOTS=<folder> in the environment the pages are also kept as pictures.
"""

import os
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from django.contrib.auth.hashers import make_password
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, Response, expect, sync_playwright

from coruscant.admin.tests.bank import Bank, make_bank, make_representative
from loans.models import CollateralPosting, Loan

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PATIENCE_MS = 30_000

pytestmark = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium found: apt-get install chromium"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_cache"),
]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in this thread, and Django refuses to use the database then.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


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
    context = chromium.new_context(base_url=live_server.url, viewport={"width": 1600, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_error(message)))
    page.on("requestfailed", lambda request: complaints.extend(_failure(request)))
    page.on("response", lambda response: complaints.extend(_trouble(response, live_server.url)))
    yield page
    context.close()


def _error(message: ConsoleMessage) -> list[str]:
    # _trouble names the address of what could not be loaded.
    loading = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not loading else []


def _failure(request: Request) -> list[str]:
    # Whoever leaves a page cuts off what it was still loading.
    return [] if request.failure == "net::ERR_ABORTED" else [f"failed: {request.url} {request.failure}"]


def _trouble(response: Response, home: str) -> list[str]:
    """A page's part that is missing, or comes from elsewhere; browsers ask for a favicon unasked."""
    if not response.url.startswith((home, "data:", "blob:")):
        return [f"from elsewhere: {response.url}"]
    missing = response.status >= 400 and not response.url.endswith("/favicon.ico")
    return [f"{response.status}: {response.url}"] if missing else []


def log_in(page: Page) -> None:
    """As a person does, with name and password."""
    person = make_representative("ahsoka")
    person.password = make_password("a good password", hasher="pbkdf2_sha256")
    person.save()
    page.goto("/admin/")
    page.get_by_label("Username").fill("ahsoka")
    page.get_by_label("Password").fill("a good password")
    page.get_by_role("button", name=re.compile("log in", re.IGNORECASE)).click()
    expect(page.locator("#dashboard")).to_be_visible(timeout=PATIENCE_MS)


def keep(page: Page, name: str) -> None:
    """A picture of the page, where pictures are asked for."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_load_state("load")
        page.screenshot(path=Path(folder) / f"{name}.png")


def test_a_representative_works_with_loans(page, bank, complaints):
    log_in(page)
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
    log_in(page)
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
    log_in(page)
    expect(page.get_by_text("No live price: nothing new is claimed since")).to_be_visible()
    keep(page, "admin-outage")


def test_the_api_documents_itself_without_the_internet(page, complaints):
    page.goto("/docs")
    expect(page.locator("#operations-tag-loans, .opblock").first).to_be_visible(timeout=PATIENCE_MS)
    expect(page.get_by_text("/loan-applications").first).to_be_visible()
    keep(page, "docs")
    assert complaints == []
