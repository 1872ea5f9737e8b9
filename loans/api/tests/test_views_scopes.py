"""A client that may see its own loans only: whatever it calls, loans of others are as if there were none."""

import pytest
from django.urls import URLResolver, get_resolver
from rest_framework.views import APIView

from loans.api.tests.calls import GOOD, refused, send
from loans.management.commands.tests.credentials import credential
from loans.models import AcceptedRequest, CollateralPosting

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpriced")]

APPLICATION, TOP_UP = "/loan-applications", "/collateral-top-ups"
#: Every route of the API, what is asked there about a loan of this loanId, and what a client must be told whose loan it
#: is not: 404 as of a loan that there is not, a list without it, that its loanId is taken, or nothing of loans at all.
ROUTES = {
    "loan-applications": ("POST", APPLICATION, "taken"),
    "loan-applications/": ("POST", f"{APPLICATION}/", "taken"),
    "collateral-top-ups": ("POST", TOP_UP, "missing"),
    "collateral-top-ups/": ("POST", f"{TOP_UP}/", "missing"),
    "loans": ("GET", "/loans", "not listed"),
    "loans/": ("GET", "/loans/", "not listed"),
    "loans/<loan_id:loanId>": ("GET", "/loans/{loan}", "missing"),
    r"^docs/?\Z": ("GET", "/docs", "nothing"),
    r"^redoc/?\Z": ("GET", "/redoc", "nothing"),
}


def routes(patterns, before=""):
    """Every route that leads to a view of REST framework."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            if route != "admin/":
                yield from routes(pattern.url_patterns, route)
        elif issubclass(getattr(pattern.callback, "cls", object), APIView):
            yield route


def header(token):
    return {"HTTP_AUTHORIZATION": f"Token {token}"}


def about(client, route, loan_id, token):
    """What a client is answered that asks at the route about a loan."""
    method, path, _told = ROUTES[route]
    if method == "POST":
        return send(client, path, GOOD | {"loanId": loan_id, "requestId": "ours-1"}, **header(token))
    return client.get(path.format(loan=loan_id), **header(token))


@pytest.fixture
def theirs(client):
    """The credential of a client that has opened L1 and posted to it."""
    token = credential("theirs")
    for path in (APPLICATION, TOP_UP):
        assert send(client, path, GOOD, **header(token)).status_code == 202
    return token


@pytest.fixture
def ours():
    return credential("ours", scope="own")


def test_every_route_of_the_api_has_a_decision_and_keeps_to_it(client, theirs, ours):
    found = list(routes(get_resolver().url_patterns))
    assert sorted(found) == sorted(ROUTES), "a new route needs a decision here"
    for route in found:
        answer, told = about(client, route, "L1", ours), ROUTES[route][2]
        if told == "missing":
            assert refused(answer, 404)["type"].endswith(":loan-not-found")
            assert answer.content == about(client, route, "L9", ours).content, route
        elif told == "not listed":
            assert answer.json()["results"] == [], route
        elif told == "taken":
            assert refused(answer, 409)["type"].endswith(":loan-id-taken")
        else:
            assert "borrower-1" not in answer.content.decode(), route
    assert not AcceptedRequest.objects.exclude(client="theirs").exists()
    assert CollateralPosting.objects.count() == 1


@pytest.mark.parametrize("query", ["", "?status=new", "?status=active", "?borrowerId=borrower-1", "?pageSize=1"])
def test_a_list_holds_the_loans_of_the_client_alone(client, theirs, ours, query):
    send(client, APPLICATION, GOOD | {"loanId": "L2"}, **header(ours))
    send(client, APPLICATION, GOOD | {"loanId": "L3", "requestId": "ours-3"}, **header(ours))
    send(client, TOP_UP, GOOD | {"loanId": "L2"}, **header(ours))
    listed = []
    url = f"/loans{query}"
    while url:
        page = client.get(url, **header(ours)).json()
        listed += [loan["loanId"] for loan in page["results"]]
        url = page["next"]
    assert listed == ([] if "active" in query else ["L3", "L2"])
    assert len(client.get("/loans", **header(theirs)).json()["results"]) == 3


def test_a_client_sees_and_posts_to_what_it_has_opened(client, ours):
    assert send(client, APPLICATION, GOOD, **header(ours)).status_code == 202
    first = send(client, TOP_UP, GOOD, **header(ours))
    again = send(client, TOP_UP, GOOD, **header(ours))
    assert (first.status_code, again.content, again["Idempotency-Replayed"]) == (202, first.content, "true")
    assert client.get("/loans/L1", **header(ours)).json()["collateral"] == "1000"
    refused(send(client, TOP_UP, GOOD | {"amount": "2"}, **header(ours)), 422)


def test_the_request_of_another_client_is_not_replayed(client, theirs, ours):
    assert refused(send(client, TOP_UP, GOOD, **header(ours)), 404)["type"].endswith(":loan-not-found")
    refused(send(client, APPLICATION, GOOD, **header(ours)), 409)


def test_who_posts_for_another_borrower_or_too_late_is_told_no_more_than_of_a_missing_loan(client, theirs, ours):
    other = send(client, TOP_UP, GOOD | {"borrowerId": "nobody"}, **header(ours))
    assert other.content == send(client, TOP_UP, GOOD | {"loanId": "L9"}, **header(ours)).content


def test_what_was_answered_once_is_answered_again_though_the_scope_is_narrower_now(client, theirs, ours):
    credential("ours", scope="all")
    first = send(client, TOP_UP, GOOD, **header(ours))
    assert first.status_code == 202
    credential("ours", scope="own")
    again = send(client, TOP_UP, GOOD, **header(ours))
    assert (again.status_code, again.content) == (202, first.content)
    refused(send(client, TOP_UP, GOOD | {"amount": "3"}, **header(ours)), 422)
    refused(send(client, TOP_UP, GOOD | {"requestId": "another"}, **header(ours)), 404)
    refused(client.get("/loans/L1", **header(ours)), 404)


def test_a_loan_that_was_opened_without_a_credential_belongs_to_no_client(client, ours):
    assert send(client, APPLICATION, GOOD).status_code == 202
    assert client.get("/loans", **header(ours)).json()["results"] == []
