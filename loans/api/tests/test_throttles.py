"""How many calls a client may make in a minute: never more, repetitions aside, and any number without Redis."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client

from loans.api import throttles
from loans.api.tests.calls import GOOD, refused, send
from loans.management.commands.tests.credentials import credential
from loans.models import AcceptedRequest, Loan
from loans.tests.factories import LoanFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpriced", "clean_cache")]


@pytest.fixture(autouse=True)
def at_one_instant(monkeypatch):
    """20 s before a minute of the clock ends."""
    monkeypatch.setattr(throttles, "time", lambda: 1_700_000_020.5)
    monkeypatch.setattr(throttles.ClientThrottle, "_paused_until", 0)
    monkeypatch.setattr(throttles.ClientThrottle, "_granted", {})


@pytest.fixture
def three(settings):
    """A minute's calls of each kind."""
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 3


def header(token):
    return {"HTTP_AUTHORIZATION": f"Token {token}"}


def apply(client, number, **extra):
    return send(client, "/loan-applications", GOOD | {"requestId": f"r-{number}", "loanId": f"L-{number}"}, **extra)


def test_the_call_beyond_the_limit_is_refused_until_the_next_minute(client, three, monkeypatch):
    assert [apply(client, number).status_code for number in range(3)] == [202] * 3
    answer = apply(client, 3)
    assert refused(answer, 429)["title"] == "Too Many Requests"
    assert answer["Retry-After"] == "20"
    assert Loan.objects.count() == AcceptedRequest.objects.count() == 3
    monkeypatch.setattr(throttles, "time", lambda: 1_700_000_040.0)
    assert apply(client, 3).status_code == 202


def test_reads_and_writes_are_counted_apart_and_refused_calls_too(client, three):
    assert [client.get("/loans/unknown").status_code for _call in range(4)] == [404, 404, 404, 429]
    assert client.get("/loans").status_code == 429
    bad = [send(client, "/collateral-top-ups", {}).status_code for _call in range(4)]
    assert bad == [400, 400, 400, 429]


def test_each_client_has_its_own_limit_whichever_credential_it_uses(client, three, settings):
    settings.API_ALLOW_ANONYMOUS = False
    first, second, other = credential("otc"), credential("otc"), credential("branch")
    statuses = [client.get("/loans", **header(token)).status_code for token in (first, second, first, second, other)]
    assert statuses == [200, 200, 200, 429, 200]


def test_calls_without_a_credential_are_counted_by_address(client, three):
    calls = ["10.0.0.1"] * 4 + ["10.0.0.2"]
    assert [client.get("/loans", REMOTE_ADDR=address).status_code for address in calls] == [200, 200, 200, 429, 200]


@pytest.mark.parametrize("path", ["/loan-applications", "/collateral-top-ups"])
def test_a_repetition_is_never_counted_and_never_refused(client, three, path):
    LoanFactory(loan_id="L-other")
    if path == "/collateral-top-ups":
        LoanFactory(loan_id="L1")
    first = send(client, path, GOOD)
    assert first.status_code == 202
    for _time in range(10):
        again = send(client, path, GOOD)
        assert (again.status_code, again.content, again["Idempotency-Replayed"]) == (202, first.content, "true")
    top_up = GOOD | {"loanId": "L-other", "amount": "1"}
    others = [
        send(client, "/collateral-top-ups", top_up | {"requestId": f"t-{number}"}).status_code for number in range(3)
    ]
    assert others == [202, 202, 429]
    again = send(client, path, GOOD)
    assert (again.status_code, again.content) == (202, first.content)
    refused(send(client, path, GOOD | {"amount": "7"}), 422)
    for fault in ("{", "{}", '{"requestId": "new"}'):
        assert send(client, path, fault).status_code in {400, 429}
    assert AcceptedRequest.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_many_at_once_get_no_more_through_than_the_limit(three):
    def call(number):
        try:
            return apply(Client(), number).status_code
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as clients:
        statuses = list(clients.map(call, range(16)))
    assert (statuses.count(202), statuses.count(429)) == (3, 13)


def test_a_process_takes_a_thousandth_of_the_limit_at_a_time_and_all_of_them_no_more_than_the_limit(
    client, settings, monkeypatch
):
    settings.API_READS_PER_MINUTE = 5000
    taken = []
    add = throttles.ClientThrottle._add
    monkeypatch.setattr(throttles.ClientThrottle, "_add", staticmethod(lambda *call: taken.append(call) or add(*call)))
    assert [client.get("/loans").status_code for _call in range(7)] == [200] * 7
    assert [amount for _key, amount in taken] == [5, 5]
    cache.count(taken[0][0], 4988, 60)  # by other processes: two are left, and the three of this one
    assert [client.get("/loans").status_code for _call in range(7)] == [200] * 5 + [429] * 2


def test_without_redis_all_calls_are_let_through_and_it_is_said_once_in_a_while(client, three, settings, caplog):
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": "redis://127.0.0.1:1/0"}}
    assert [client.get("/loans").status_code for _call in range(5)] == [200] * 5
    assert [apply(client, number).status_code for number in range(5)] == [202] * 5
    assert apply(client, 0)["Idempotency-Replayed"] == "true"
    assert sum("api_calls_not_counted" in record.getMessage() for record in caplog.records) == 1


def test_what_is_planted_in_place_of_a_count_stops_nobody(client, three, monkeypatch):
    monkeypatch.setattr(throttles.ClientThrottle, "_add", classmethod(spoil(throttles.ClientThrottle._add.__func__)))
    assert client.get("/loans").status_code == 200


def spoil(add):
    """Somebody else has written no number under the key that is counted."""

    def planted(cls, key, amount):
        cache.redis.set(cache.make_key(key), b"\xff no number")
        return add(cls, key, amount)

    return planted
