"""Lists and search in a real Chromium: an id is found by the keyboard alone and copied whole, a list is downloaded."""

import csv
from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.urls import reverse
from playwright.sync_api import Browser, Page, expect

from coruscant import history
from coruscant.admin.groups import VIEWERS
from coruscant.admin.tests.bank import Bank, make_bank, make_loan
from tests.browser import LAPTOP, MARKS, PATIENCE_MS, log_in, make_account, open_chromium, watched_page

pytestmark = MARKS
LONG_ID = "be4ed368-0f2c-4a3b-9a51-AAAA"

chromium = pytest.fixture(open_chromium, scope="module")


@pytest.fixture
def bank(settings) -> Bank:
    settings.PRICE_MAX_AGE_SECONDS, settings.FEED_MAX_LAG_SECONDS = 3600, 7200
    with history.cause("test", correlation_id="long"):
        make_loan(LONG_ID)
    return make_bank()


@pytest.fixture
def page(chromium: Browser, live_server, bank: Bank) -> Iterator[Page]:
    """A page for somebody who sees, and may do nothing."""
    complaints: list[str] = []
    make_account("viewer", VIEWERS)
    context = chromium.new_context(
        base_url=live_server.url, viewport=LAPTOP, permissions=["clipboard-read", "clipboard-write"]
    )
    page = watched_page(context, live_server.url, complaints)
    log_in(page, "viewer")
    yield page
    context.close()
    assert complaints == []


def type_into_search(page: Page, text: str) -> None:
    expect(page.locator("#search-input-command")).to_be_focused(timeout=PATIENCE_MS)
    page.keyboard.type(text)


def test_an_id_is_found_from_anywhere_by_the_keyboard_alone(page: Page, bank: Bank):
    page.goto(reverse("admin:controls_control_changelist"))
    page.keyboard.press("Control+k")
    type_into_search(page, "L-act")
    expect(page.locator("#command-results-list li")).to_have_count(1, timeout=PATIENCE_MS)
    assert Axe().run(page, context="#command-results-list").response["violations"] == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:loans_loan_change', args=(bank.active.pk,))}")


def test_enter_alone_opens_the_first_result_and_does_nothing_without_one(page: Page, bank: Bank):
    page.goto(reverse("admin:controls_control_changelist"))
    page.keyboard.press("Control+k")
    type_into_search(page, "L-act")
    page.keyboard.press("Enter")  # nothing is found yet
    expect(page.locator("#command-results-list li")).to_have_count(1, timeout=PATIENCE_MS)
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{reverse('admin:loans_loan_change', args=(bank.active.pk,))}")


def test_the_button_of_the_side_bar_opens_the_search(page: Page):
    page.get_by_role("button", name="Search any id").press("Enter")
    type_into_search(page, "margin")
    expect(page.locator("#command-results-list")).to_contain_text("Margin calls", timeout=PATIENCE_MS)


def test_a_long_id_is_cut_and_copied_whole(page: Page):
    page.goto(reverse("admin:loans_loan_changelist"))
    expect(page.locator("#result_list")).to_contain_text("be4ed368…")
    page.get_by_role("button", name=f"Copy {LONG_ID}").first.click()
    expect(page.get_by_role("button", name=f"Copy {LONG_ID}").first).to_have_text("check")
    assert page.evaluate("navigator.clipboard.readText()") == LONG_ID


def test_a_filtered_list_is_downloaded(page: Page, tmp_path):
    page.goto(reverse("admin:liquidation_liquidation_changelist") + "?stage=unsettled")
    with page.expect_download() as download:
        page.get_by_role("link", name="Export CSV").click()
    path = tmp_path / "liquidations.csv"
    download.value.save_as(path)
    header, *rows = list(csv.reader(path.open()))
    assert header[:3] == ["Liquidation", "Loan", "Status"]
    assert [row[1:3] for row in rows] == [["L-waiting", "waiting"]]
    assert download.value.suggested_filename.startswith("liquidations-")
