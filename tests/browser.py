"""A real Chromium for tests: what went wrong on a page, whether axe finds anything, and how a person logs in."""

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import User
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    Response,
    ViewportSize,
    expect,
    sync_playwright,
)

from coruscant.admin.tests.bank import make_person
from coruscant.approvals.people import ACCOUNT_AGE

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
PASSWORD = "a good password"
LAPTOP: ViewportSize = {"width": 1440, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

MARKS = [
    pytest.mark.system,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium found: apt-get install chromium"),
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("clean_cache"),
]


def open_chromium() -> Iterator[Browser]:
    """The browser, for a fixture."""
    with sync_playwright() as playwright, pytest.MonkeyPatch.context() as patch:
        # Playwright runs an event loop in this thread, and Django refuses to use the database then.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


def watched_page(context: BrowserContext, home: str, complaints: list[str]) -> Page:
    """A page of which everything that goes wrong is added to `complaints`."""
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.extend(_error(message)))
    page.on("requestfailed", lambda request: complaints.extend(_failed(request)))
    page.on("response", lambda response: complaints.extend(_trouble(response, home)))
    return page


def make_account(name: str, *groups: str) -> User:
    """Somebody who can log in, with an account that is old enough to agree to what others ask."""
    person = make_person(name, *groups)
    person.password = make_password(PASSWORD, hasher="pbkdf2_sha256")
    person.date_joined -= 2 * ACCOUNT_AGE
    person.save()
    return person


def log_in(page: Page, name: str) -> None:
    """As a person does, with name and password."""
    page.goto("/admin/")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name=re.compile("log in", re.IGNORECASE)).click()
    expect(page.locator("#nav-sidebar-inner").first).to_be_attached(timeout=PATIENCE_MS)


def axe_finds(page: Page) -> list[str]:
    """What axe finds on the page: the rule and the elements that break it."""
    found = Axe().run(page).response["violations"]
    return [f"{page.url}: {one['id']}: {node['html'][:160]}" for one in found for node in one["nodes"]]


def keep(page: Page, name: str) -> None:
    """A picture of the page, where SCREENSHOTS names a folder for them."""
    if folder := os.environ.get("SCREENSHOTS"):
        page.wait_for_load_state("load")
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def _failed(request: Request) -> list[str]:
    # Whoever leaves a page cuts off what it was still loading.
    cut_off = "ERR_ABORTED" in str(request.failure)
    return [] if cut_off else [f"failed: {request.url} {request.failure}"]


def _error(message: ConsoleMessage) -> list[str]:
    # _trouble names the address of what could not be loaded.
    loading = message.text.startswith("Failed to load resource")
    return [message.text] if message.type == "error" and not loading else []


def _trouble(response: Response, home: str) -> list[str]:
    """A page's part that is missing, or comes from elsewhere; browsers ask for a favicon unasked."""
    if not response.url.startswith((home, "data:", "blob:")):
        return [f"from elsewhere: {response.url}"]
    missing = response.status >= 400 and not response.url.endswith("/favicon.ico")
    return [f"{response.status}: {response.url}"] if missing else []
