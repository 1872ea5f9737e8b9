"""Lists stay fast, say how many rows they have, and add up what is asked for."""

import pytest
from django.core.paginator import Paginator

from coruscant import history
from coruscant.admin import lists
from coruscant.admin.lists import BoundedPaginator
from coruscant.admin.tests.bank import THEN, make_bank, make_loan, make_representative
from coruscant.admin.tests.test_base import page
from loans.models import AcceptedRequest, CollateralPosting, Loan

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def browser(client):
    client.force_login(make_representative())
    return client


def text_of(browser, row, **query):
    return browser.get(page(row, "changelist"), query).content.decode()


def messages_of(response):
    return [str(message) for message in response.context["messages"]]


def test_pages_show_short_figures_with_the_exact_ones_on_hovering(bank, browser):
    text = text_of(browser, bank.settled)
    assert '<span class="figure" title="1001.25 GC">1,001.25</span> <span class="unit">GC</span>' in text
    assert '<span class="figure" title="33 units">33.0000</span> <span class="unit">units</span>' in text
    assert '<time class="age" datetime="2026-05-04T10:30:00Z" title="2026-05-04 10:30:00 UTC">' in text
    own = browser.get(page(bank.settled)).content.decode()
    assert "1001.25 GC" in own
    assert "2026-05-04 10:30:00 UTC" in own


def test_a_long_id_is_short_in_a_list_and_whole_on_its_page_and_keeps_its_case(bank, browser):
    with history.cause("test", correlation_id="long"):
        loan = make_loan("be4ed368-0001-aaaa")
    text = text_of(browser, loan)
    assert f'{page(loan)}">be4ed368…</a>' in text
    assert 'data-copy="be4ed368-0001-aaaa"' in text
    own = browser.get(page(loan)).content.decode()
    assert "be4ed368-0001-aaaa" in own
    assert "Be4ed368" not in own
    assert "Be4ed368" not in text


def test_a_row_leads_back_to_the_list_as_it_was_filtered(bank, browser):
    text = text_of(browser, bank.active, q="L-active")
    assert f"{page(bank.active)}?_changelist_filters=q%3DL-active" in text


def test_totals_are_those_of_all_pages_of_the_filtered_list(bank, browser):
    found = browser.get(page(bank.active, "changelist"), {"status__exact": "active"})
    assert [(total.label, total.shown.split(">")[1].split("<")[0]) for total in found.context["cl"].totals] == [
        ("Amount", "2,000.00"), ("Outstanding balance", "2,000.00"), ("Collateral", "68.0000")
    ]  # fmt: skip
    assert "2 loans together" in found.content.decode()


def test_headings_are_made_once_and_not_for_each_row(bank, browser, monkeypatch):
    made, make = [], lists._make_headings
    monkeypatch.setattr(lists, "_make_headings", lambda listed: made.append(listed) or make(listed))
    found = browser.get(page(bank.active, "changelist"))
    assert found.context["cl"].result_count == 5
    assert made == [found.context["cl"]]


class TestManyRows:
    @pytest.fixture(autouse=True)
    def few_are_many(self, monkeypatch):
        monkeypatch.setattr(lists, "MOST_ROWS", 3)

    def test_no_more_are_counted_than_are_shown(self, bank, django_assert_num_queries):
        paginator = BoundedPaginator(Loan.objects.all(), 2)
        with django_assert_num_queries(1) as queries:
            assert (paginator.count, paginator.has_more, paginator.num_pages) == (3, True, 2)
        assert "LIMIT 4" in queries[0]["sql"]
        assert Paginator(Loan.objects.all(), 2).count == 5

    def test_the_list_says_that_there_are_more_and_adds_nothing_up(self, bank, browser):
        found = browser.get(page(bank.active, "changelist"))
        assert found.context["cl"].count_text == "More than 3 loans"
        assert found.context["cl"].totals == []

    def test_they_are_not_sorted_by_a_column_which_is_said(self, bank, browser):
        found = browser.get(page(bank.active, "changelist"), {"o": "1"})
        newest_first = list(Loan.objects.order_by("-pk"))
        assert list(found.context["cl"].result_list) == newest_first
        assert messages_of(found)[-1] == "More than 3 rows are not sorted: filter or search first."

    def test_few_of_many_are_sorted(self, bank, browser):
        found = browser.get(page(bank.active, "changelist"), {"o": "-1", "status__exact": "active"})
        assert [row.loan_id for row in found.context["cl"].result_list] == ["L-warned", "L-active"]


class TestSearch:
    def test_what_belongs_to_a_loan_is_found_by_its_id(self, bank, browser):
        found = browser.get(page(bank.unresolved, "changelist"), {"q": "L-wait"}).context["cl"].result_list
        assert {row.liquidation_id for row in found} == {bank.waiting.pk}

    def test_a_posting_and_its_loan_are_found_by_the_request_id(self, bank, browser):
        AcceptedRequest.objects.create(
            client="otc", endpoint="collateral-top-ups", request_id="posting-1", content_digest="0" * 64,
            response_body="{}", loan=bank.active, created_at=THEN,
        )  # fmt: skip
        posting = CollateralPosting.objects.get()
        assert list(browser.get(page(posting, "changelist"), {"q": "posting-1"}).context["cl"].result_list) == [posting]
        found = browser.get(page(bank.active, "changelist"), {"q": "posting-1"})
        assert list(found.context["cl"].result_list) == [bank.active]

    def test_a_beginning_that_fits_too_many_loans_is_said_to(self, bank, browser, monkeypatch):
        monkeypatch.setattr("coruscant.admin.base._MOST_OWNERS", 2)
        found = browser.get(page(bank.unresolved, "changelist"), {"q": "L-"})
        assert messages_of(found)[-1] == "More than 2 loans fit: only some are searched. Type more of it."

    def test_a_price_event_finds_what_it_claimed(self, bank, browser):
        found = browser.get(page(bank.waiting, "changelist"), {"q": "mos_espa:e-1"})
        assert found.context["cl"].result_count == 2
