"""Search from anywhere finds ids of every kind by an index, for those who may see what is found."""

from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coruscant import history
from coruscant.admin.figures import page_of
from coruscant.admin.tests.bank import THEN, make_bank, make_liquidation, make_loan, make_order
from liquidation.models import LiquidationEvent
from loans.events.models import LoanEvent
from loans.models import AcceptedRequest
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


@pytest.fixture
def bank():
    return make_bank()


@pytest.fixture
def browser(client):
    client.force_login(User.objects.create_superuser("root"))
    return client


def look(browser, term, **query):
    return browser.get("/admin/search/", {"s": term, "extended": "1", **query})


def links(browser, term):
    return [found.link for found in look(browser, term).context["results"]]


def test_a_loan_is_found_by_the_beginning_of_its_id_or_of_its_borrower_s(bank, browser):
    assert links(browser, "L-act") == [page_of(bank.active)]
    assert links(browser, "borrower-of-L-act") == [page_of(bank.active)]


def test_a_request_id_leads_to_its_loan(bank, browser):
    AcceptedRequest.objects.create(
        client="otc", endpoint="collateral-top-ups", request_id="posting-1", content_digest="0" * 64,
        response_body="{}", loan=bank.active, created_at=THEN,
    )  # fmt: skip
    assert links(browser, "application-L-new") == [page_of(bank.new)]
    assert links(browser, "posting-1") == [page_of(bank.active)]
    assert links(browser, "posting-") == [], "such an id is looked up whole"


def test_an_order_is_found_by_our_id_and_by_the_market_s(bank, browser):
    with history.cause("test", correlation_id="x"):
        order = make_order(make_liquidation(make_loan("L-9", status="liquidating")), "filled", venue_order_id="Mos-77")
    assert links(browser, order.request_id[:-1])[0] == page_of(order)
    assert links(browser, "Mos-77") == [page_of(order)]


def test_events_of_both_kinds_are_found_by_their_ids_however_they_are_written(bank, browser):
    told, event = LoanEvent.objects.get(), LiquidationEvent.objects.get()
    assert links(browser, str(told.event_id)) == [page_of(told)]
    assert links(browser, str(event.event_id).upper()) == [page_of(event)]
    assert links(browser, str(uuid4())) == []


def test_a_price_event_is_found_by_the_market_s_id_and_by_the_message_s(bank, browser):
    quote = PriceQuote.objects.get()
    assert links(browser, "e-1") == [page_of(quote)]
    assert links(browser, "m-1") == [page_of(quote)]


def test_pages_of_the_side_bar_are_found_by_a_part_of_their_title(bank, browser):
    assert "/admin/loans/margincall/" in links(browser, "margin")


def test_there_are_at_most_ten_of_a_kind(bank, browser):
    with history.cause("test", correlation_id="many"):
        for number in range(12):
            make_loan(f"many-{number:02}")
    assert len(links(browser, "many-")) == 10


def test_ids_keep_their_case_and_what_others_wrote_is_text(bank, browser):
    with history.cause("test", correlation_id="x"):
        make_loan("be4ed368<script>")
    text = look(browser, "be4ed368").content.decode()
    assert "be4ed368&lt;script&gt;" in text
    assert "<script>" not in text
    assert links(browser, "BE4ED368") == [], "ids that differ in case are different"


def test_what_was_found_before_is_not_shown_again(bank, browser):
    assert links(browser, "fresh") == []
    with history.cause("test", correlation_id="x"):
        loan = make_loan("fresh")
    assert links(browser, "fresh") == [page_of(loan)]


def test_a_person_finds_what_they_may_see(bank, client):
    clerk = User.objects.create_user("clerk", is_staff=True)
    client.force_login(clerk)
    event = LiquidationEvent.objects.get()
    for term in ("L-act", "application-L-new", bank.unresolved.request_id, str(event.event_id), "e-1", "margin"):
        assert links(client, term) == [], term
    clerk.user_permissions.add(Permission.objects.get(codename="view_loan"))
    assert links(client, "L-act") == [page_of(bank.active)]
    assert links(client, bank.unresolved.request_id) == []


def test_others_are_asked_to_log_in(bank, client):
    assert client.get("/admin/search/", {"s": "L-act"}).status_code == 302
    client.force_login(User.objects.create_user("borrower"))
    assert client.get("/admin/search/", {"s": "L-act"}).status_code == 302


@pytest.mark.parametrize("term", ["", "  ", "\0", "%", "_", "'; DROP TABLE loans_loan; --", "x" * 100_000])
def test_strange_terms_find_nothing(bank, browser, term):
    response = look(browser, term)
    assert response.status_code == 200
    assert not response.context or not response.context["results"]


def test_the_search_field_of_the_side_bar_gets_the_same(bank, browser):
    response = browser.get("/admin/search/", {"s": "L-act"})
    assert page_of(bank.active) in response.content.decode()
    assert response["HX-Trigger"] == "search"


def test_every_look_up_is_by_an_index(bank, browser):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        look(browser, str(LoanEvent.objects.get().event_id))
    wanted = [one["sql"] for one in queries if "loans_" in one["sql"] or "liquidation_" in one["sql"]]
    looked_up = [sql for sql in wanted if " WHERE " in sql and "LIMIT 10" in sql]
    assert len(looked_up) >= 5
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        for sql in looked_up:
            cursor.execute(f"EXPLAIN {sql}")
            plan = "\n".join(line for (line,) in cursor.fetchall())
            assert "Seq Scan" not in plan.replace("Seq Scan on loans_loan ", "x"), plan
