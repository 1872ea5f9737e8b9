"""The desk in a real Chromium, as people of each group use it: on a laptop, on a phone, and by the keyboard."""

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Literal

import pytest
from django.db import connections
from django.db.models import F
from django.urls import reverse
from playwright.sync_api import Browser, Page, ViewportSize, expect

from coruscant import clock, history
from coruscant.admin.groups import COMMANDS, OPERATORS, REPRESENTATIVES, RISK_OFFICERS
from coruscant.admin.tests.bank import Bank, make_bank, make_liquidation, make_loan
from coruscant.controls.models import Control
from desk.book import snapshot
from desk.models import PolicyReplay
from desk.navigation import GROUPS
from desk.replay import service
from liquidation.models import TradeOrder
from tests.browser import LAPTOP, MARKS, PHONE, axe_finds, keep, log_in, make_account, open_chromium, watched_page

pytestmark = MARKS
PAGES = [page for title, entries in GROUPS if title != "Administration" for _title, _icon, page, _permission in entries]

chromium = pytest.fixture(open_chromium, scope="module")
#: A page for a person: opens a window of this size and logs the person in.
Open = Callable[..., Page]
Scheme = Literal["light", "dark"]


@pytest.fixture
def bank(settings) -> Bank:
    settings.PRICE_MAX_AGE_SECONDS, settings.FEED_MAX_LAG_SECONDS = 3600, 7200
    made = make_bank()
    snapshot.take()
    return made


@pytest.fixture
def complaints() -> Iterator[list[str]]:
    """What went wrong on any page, which must be nothing."""
    found: list[str] = []
    yield found
    assert found == []


@pytest.fixture
def open_page(chromium: Browser, live_server, complaints: list[str]) -> Iterator[Open]:
    contexts = []

    def open_for(name: str, *groups: str, size: ViewportSize = LAPTOP, scheme: Scheme = "light") -> Page:
        make_account(name, *groups)
        context = chromium.new_context(base_url=live_server.url, viewport=size, color_scheme=scheme)
        contexts.append(context)
        page = watched_page(context, live_server.url, complaints)
        log_in(page, name)
        return page

    yield open_for
    for context in contexts:
        context.close()
    connections.close_all()


@pytest.mark.parametrize("group", COMMANDS)
def test_every_group_walks_every_page(open_page: Open, bank, group):
    page = open_page("ahsoka", group)
    for name in PAGES:
        page.goto(reverse(name))
        expect(page.locator("#content")).to_be_visible()


@pytest.mark.parametrize(("size", "scheme"), [(LAPTOP, "light"), (LAPTOP, "dark"), (PHONE, "light"), (PHONE, "dark")])
def test_axe_finds_nothing(open_page: Open, bank, size, scheme):
    page = open_page("ahsoka", *COMMANDS, size=size, scheme=scheme)
    rows = [("loans_loan", bank.active), ("liquidation_liquidation", bank.waiting),
            ("liquidation_tradeorder", bank.unresolved)]  # fmt: skip
    addresses = [reverse(name) for name in PAGES]
    addresses += [reverse(f"admin:{model}_change", args=(row.pk,)) for model, row in rows]
    found = []
    for address in addresses:
        page.goto(address)
        page.wait_for_load_state("load")
        found += axe_finds(page)
        assert page.evaluate("document.documentElement.scrollWidth") <= size["width"], f"{address} scrolls sideways"
    assert found == []


def test_the_overview_follows_a_sale_by_itself_and_says_when_it_cannot(open_page: Open, bank):
    page = open_page("ahsoka", RISK_OFFICERS)
    expect(page.locator("#dashboard")).to_contain_text("L-waiting")
    keep(page, "desk-overview")
    with history.cause("test", correlation_id="sale"):
        make_liquidation(make_loan("L-next", status="liquidating"), proceeds=Decimal(640))
    expect(page.locator("#dashboard")).to_contain_text("L-next", timeout=10_000)
    expect(page.locator("#overview-stale")).to_be_hidden()


def test_an_overview_that_cannot_refresh_says_so(chromium: Browser, live_server, bank):
    make_account("ahsoka", RISK_OFFICERS)
    context = chromium.new_context(base_url=live_server.url, viewport=LAPTOP)
    page = watched_page(context, live_server.url, [])
    log_in(page, "ahsoka")
    page.route("**/desk/overview/*", lambda route: route.abort())
    expect(page.get_by_role("alert")).to_contain_text("Not refreshed", timeout=10_000)
    page.unroute("**/desk/overview/*")
    expect(page.locator("#overview-stale")).to_be_hidden(timeout=10_000)
    context.close()


def test_the_overview_answers_where_a_person_is_needed_by_keyboard_alone(open_page: Open, bank):
    page = open_page("ahsoka", OPERATORS)
    link = page.locator("#dashboard a", has_text="waiting for a person").first
    link.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#content")).to_contain_text("L-waiting")


def test_two_operators_answer_for_an_order(open_page: Open, bank, settings):
    settings.FOUR_EYES = True
    first, second = open_page("leia", OPERATORS), open_page("han", OPERATORS)
    first.goto(reverse("admin:liquidation_tradeorder_change", args=(bank.unresolved.pk,)))
    first.get_by_role("link", name="Market did trade").first.click()
    first.get_by_label("Units traded").fill("32")
    first.get_by_label("Proceeds").fill("970")
    first.get_by_label("Why").fill("The market told me.")
    first.get_by_role("button", name="Book the trade").click()
    assert TradeOrder.objects.get(pk=bank.unresolved.pk).status == "unresolved"
    second.goto(reverse("admin:approvals_approval_changelist"))
    second.locator("tr", has_text="leia").get_by_role("link").first.click()
    expect(second.locator("#content")).to_contain_text("32 units")
    keep(second, "desk-approval")
    second.get_by_role("link", name="Agree").first.click()
    second.get_by_role("button", name="Agree").click()
    expect(second.locator("#main")).to_contain_text("Done, in your name and that of leia.")
    assert TradeOrder.objects.get(pk=bank.unresolved.pk).status == "filled"


def test_a_representative_posts_collateral_and_takes_the_evidence(open_page: Open, bank, tmp_path):
    page = open_page("ahsoka", REPRESENTATIVES)
    page.goto(reverse("admin:loans_loan_change", args=(bank.active.pk,)))
    page.get_by_role("link", name="Post collateral").first.click()
    page.get_by_label("Amount").fill("2.5")
    page.get_by_role("button", name="Post").click()
    expect(page.locator("#main")).to_contain_text("2.5 units are posted for loan L-active.")
    with page.expect_download() as download:
        page.get_by_role("link", name="Evidence", exact=False).first.click()
    path = tmp_path / "evidence.json"
    download.value.save_as(path)
    assert json.loads(path.read_text())["evidence"]["loan"]["loanId"] == "L-active"


def test_a_risk_officer_asks_what_a_fall_would_do_and_saves_the_question(open_page: Open, bank):
    page = open_page("ahsoka", RISK_OFFICERS)
    page.goto(reverse("desk:stress"))
    page.get_by_label("Price, GC a unit").fill("31")
    page.get_by_role("button", name="Test").click()
    # 1000 GC against 40 and 28 units: both loans reach 80 % at 31.
    expect(page.locator("section", has=page.get_by_role("heading", name="Liquidations"))).to_contain_text("2 loans")
    page.get_by_role("link", name="Save scenario").click()
    page.get_by_label("Name").fill("The dip of May")
    page.get_by_role("button", name="Save").click()
    expect(page.locator("#main")).to_contain_text("The dip of May")


def test_a_risk_officer_has_the_past_replayed_under_other_terms(open_page: Open, bank):
    page = open_page("ahsoka", RISK_OFFICERS)
    page.goto(reverse("desk:replay"))
    page.get_by_label("Liquidation LTV, %").fill("75")
    page.get_by_role("button", name="Replay").click()
    page.goto(reverse("desk:replay"))
    expect(page.locator("tbody")).to_contain_text("aiting")
    assert service.work()
    page.locator("tbody a").first.click()
    expect(page.locator("#content")).to_contain_text("75")
    assert PolicyReplay.objects.get().status == "done"


def test_claims_are_paused_by_one_risk_officer_and_resumed_by_two(open_page: Open, bank, settings):
    with history.cause("test", correlation_id="over"):
        Control.objects.update(until=F("began_at") + timedelta(seconds=1))
    first, second = open_page("leia", RISK_OFFICERS), open_page("han", RISK_OFFICERS)
    first.goto(reverse("admin:controls_control_pull"))
    first.get_by_label("What").select_option("pause_claims")
    first.get_by_label("Minutes").fill("5")
    first.get_by_label("Why").fill("Prices fall fast.")
    first.get_by_role("button", name="Pull it").click()
    pause = Control.objects.get(until__gt=clock.now())
    first.goto(reverse("admin:controls_control_end", args=(pause.pk,)))
    first.get_by_label("Why").fill("It is over.")
    first.get_by_role("button", name="Ask for it").click()
    assert Control.objects.filter(pk=pause.pk, until__gt=clock.now()).exists()
    second.goto(reverse("admin:approvals_approval_changelist"))
    second.locator("tr", has_text="leia").get_by_role("link").first.click()
    second.get_by_role("link", name="Agree").first.click()
    second.get_by_role("button", name="Agree").click()
    expect(second.locator("#main")).to_contain_text("Done, in your name and that of leia.")
    assert not Control.objects.filter(until__gt=clock.now()).exists()
