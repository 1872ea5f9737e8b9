"""A second factor in a real Chromium: led to enrolment at the first log-in, asked for at the second."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from coruscant.admin.groups import OPERATORS
from coruscant.second_factor.tests.codes import code_of, key_on
from tests.browser import LAPTOP, MARKS, PASSWORD, axe_finds, keep, make_account, open_chromium, watched_page

pytestmark = MARKS

chromium = pytest.fixture(open_chromium, scope="module")


@pytest.fixture
def complaints() -> list[str]:
    """What the browser's console said of errors, and what could not be loaded."""
    return []


@pytest.fixture
def page(chromium: Browser, live_server, complaints: list[str]) -> Iterator[Page]:
    make_account("cody", OPERATORS)
    context = chromium.new_context(base_url=live_server.url, viewport=LAPTOP)
    yield watched_page(context, live_server.url, complaints)
    context.close()


def enter_password(page: Page) -> None:
    page.get_by_label("Username").fill("cody")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_an_operator_enrols_at_the_first_log_in_and_is_asked_at_the_next(page, settings, complaints):
    settings.SECOND_FACTOR_GROUPS = [OPERATORS]
    page.goto("/admin/loans/loan/")
    enter_password(page)
    expect(page.get_by_text("Scan this with an authenticator app")).to_be_visible()
    expect(page.get_by_alt_text("QR code")).to_be_visible()
    assert axe_finds(page) == []
    keep(page, "second-factor-enrol")
    key = key_on(page.content())
    page.get_by_label("Code").fill(code_of(key))
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#backup-codes li")).to_have_count(8)
    assert axe_finds(page) == []
    keep(page, "second-factor-codes")
    backup = page.locator("#backup-codes li").first.inner_text()
    page.get_by_role("link", name="I have written them down").click()
    expect(page).to_have_url("/admin/loans/loan/")

    page.context.clear_cookies()
    page.goto("/admin/")
    enter_password(page)
    expect(page.get_by_text("Enter the code that your authenticator shows now")).to_be_visible()
    assert axe_finds(page) == []
    keep(page, "second-factor-show")
    page.goto("/admin/loans/loan/")
    page.get_by_label("Code").fill("aaaaaaaa")
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("This code is wrong or was used before")).to_be_visible()
    page.wait_for_timeout(1100)  # after a wrong one
    page.get_by_label("Code").fill(backup)
    page.get_by_role("button", name="Go on").click()
    expect(page).to_have_url("/admin/loans/loan/")
    expect(page.locator("#nav-sidebar-inner").first).to_be_attached()
    assert complaints == []
