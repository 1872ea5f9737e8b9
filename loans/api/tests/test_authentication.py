"""Who may call: clients by credential, representatives by session, anonymous callers where they are allowed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal
from threading import Barrier

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from knox.models import AuthToken

from coruscant import clock
from loans.api.tests.calls import GOOD, refused, send
from loans.management.commands.tests.credentials import credential
from loans.models import AcceptedRequest, CollateralPosting, Loan

pytestmark = pytest.mark.django_db
CALLS = [("GET", "/loans"), ("GET", "/loans/L1"), ("POST", "/loan-applications"), ("POST", "/collateral-top-ups")]


@pytest.fixture(autouse=True)
def unpriced(set_best_price):
    pass


@pytest.fixture
def closed(settings):
    settings.API_ALLOW_ANONYMOUS = False


def header(token):
    return {"HTTP_AUTHORIZATION": f"Token {token}"}


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_call_without_credentials_is_refused(client, closed, method, path):
    response = client.generic(method, path, "{}", content_type="application/json")
    refused(response, 401)
    assert response["WWW-Authenticate"].startswith("Token")


def test_an_anonymous_call_is_accepted_where_that_is_allowed(client):
    assert send(client, "/loan-applications", GOOD).status_code == 202
    assert AcceptedRequest.objects.get().client == ""


def test_a_client_calls_with_its_credential(client, closed):
    token = credential()
    assert send(client, "/loan-applications", GOOD, **header(token)).status_code == 202
    assert send(client, "/collateral-top-ups", GOOD, **header(token)).status_code == 202
    assert client.get("/loans/L1", **header(token)).status_code == 200
    assert set(AcceptedRequest.objects.values_list("client", flat=True)) == {"otc-service"}
    user = User.objects.get(username="otc-service")
    assert set(Loan.history.values_list("history_actor", "history_user_id")) == {("otc-service", user.pk)}


def test_a_request_id_belongs_to_its_client(client):
    send(client, "/loan-applications", GOOD)
    refused(send(client, "/loan-applications", GOOD, **header(credential())), 409)


@pytest.mark.parametrize("allowed", [True, False])
@pytest.mark.parametrize(
    "value",
    [
        "Token",
        "Token x",
        "Token " + "0" * 64,
        "Token a b",
        "Token \xff\xfe",
        "Token \x00",
        "Token " + "0" * 5000,
        "Bearer abc",
        "Basic YTpi",
        "nonsense",
        "Token ' OR 1=1 --",
    ],
)
def test_a_bad_credential_is_refused_even_where_anonymous_calls_are_allowed(client, settings, allowed, value):
    settings.API_ALLOW_ANONYMOUS = allowed
    credential()
    response = send(client, "/loan-applications", GOOD, HTTP_AUTHORIZATION=value)
    refused(response, 401)
    assert response["WWW-Authenticate"].startswith("Token")
    assert Loan.objects.count() == 0


def test_a_revoked_credential_is_refused(client):
    token = credential()
    AuthToken.objects.all().delete()
    refused(client.get("/loans", **header(token)), 401)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("revoke", "status"),
    [(lambda: AuthToken.objects.all().delete(), 401), (lambda: User.objects.update(is_active=False), 403)],
    ids=["credential", "client"],
)
def test_what_is_revoked_during_fifty_calls_is_refused_and_fails_none(closed, revoke, status):
    token = credential()
    half = Barrier(6, timeout=30)

    def call(worker):
        client, statuses = Client(raise_request_exception=False), []
        for number in range(10):
            if number == 5:
                half.wait()
            body = GOOD | {"requestId": f"r-{worker}-{number}", "loanId": f"L-{worker}-{number}"}
            statuses.append(send(client, "/loan-applications", body, **header(token)).status_code)
        connection.close()
        return statuses

    with ThreadPoolExecutor(5) as clients:
        calls = [clients.submit(call, worker) for worker in range(5)]
        half.wait()
        revoke()
        statuses = [status for done in calls for status in done.result()]
    assert statuses.count(202) >= 25
    assert set(statuses) <= {202, status}
    refused(Client().get("/loans", **header(token)), status)


def test_an_expired_credential_is_refused(client, closed):
    token = credential()
    AuthToken.objects.update(expiry=clock.now() + timedelta(seconds=60))
    assert client.get("/loans", **header(token)).status_code == 200
    AuthToken.objects.update(expiry=clock.now() - timedelta(seconds=1))
    refused(client.get("/loans", **header(token)), 401)
    refused(client.get("/loans", **header(token)), 401)


@pytest.mark.parametrize("allowed", [True, False])
def test_an_inactive_client_is_forbidden(client, settings, allowed):
    settings.API_ALLOW_ANONYMOUS = allowed
    token = credential()
    User.objects.update(is_active=False)
    refused(client.get("/loans", **header(token)), 403)


def test_a_client_without_permission_is_forbidden(client):
    token = credential()
    User.objects.get().groups.clear()
    User.objects.get().user_permissions.add(Permission.objects.get(codename="view_loan"))
    assert client.get("/loans", **header(token)).status_code == 200
    refused(send(client, "/loan-applications", GOOD, **header(token)), 403)
    refused(send(client, "/collateral-top-ups", GOOD, **header(token)), 403)


def test_a_representative_reads_with_the_session_of_the_admin(client, closed):
    client.force_login(User.objects.create_superuser("ahsoka"))
    assert client.get("/loans").status_code == 200


def test_a_representative_posts_only_with_the_csrf_token(closed):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("ahsoka"))
    refused(send(strict, "/loan-applications", GOOD), 403)
    assert Loan.objects.count() == 0
    strict.cookies["csrftoken"] = "a" * 32
    assert send(strict, "/loan-applications", GOOD, HTTP_X_CSRFTOKEN="a" * 32).status_code == 202


def test_a_representative_does_not_post_by_the_api_alone_what_takes_two_in_the_admin(client, closed, settings):
    client.force_login(User.objects.create_superuser("ahsoka"))
    send(client, "/loan-applications", GOOD)
    before = GOOD | {"amount": "6"}
    assert send(client, "/collateral-top-ups", before).status_code == 202
    settings.FOUR_EYES, settings.FOUR_EYES_POSTING_UNITS = True, Decimal(5)
    large = GOOD | {"requestId": "req-2", "amount": "5.5"}
    told = refused(send(client, "/collateral-top-ups", large), 403)
    assert told["type"] == "urn:coruscant-bank:problem:posting-needs-two-people"
    assert send(client, "/collateral-top-ups", before)["Idempotency-Replayed"] == "true"
    assert send(client, "/collateral-top-ups", large | {"amount": "5"}).status_code == 202
    assert [posting.amount for posting in CollateralPosting.objects.order_by("pk")] == [6, 5]
    assert send(Client(), "/collateral-top-ups", large, **header(credential())).status_code == 202, "a program may"


def test_a_session_without_permission_is_forbidden(client):
    client.force_login(User.objects.create_user("padawan"))
    refused(client.get("/loans"), 403)
