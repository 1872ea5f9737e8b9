"""What django-structlog logs of a request, and how long it can get."""

from functools import partial

import pytest
import structlog

from coruscant.web.server_log import ROUTE

pytestmark = pytest.mark.django_db


@pytest.fixture
def lines(caplog):
    """What was logged so far."""
    return lambda event: [
        record.msg for record in caplog.records if isinstance(record.msg, dict) and record.msg["event"] == event
    ]


@pytest.fixture(autouse=True)
def anonymous_calls(settings):
    settings.API_ALLOW_ANONYMOUS = True


def test_a_call_that_goes_well_logs_no_line_of_its_own_and_leaves_no_ids_behind(client, lines):
    assert client.get("/loans", headers={"X-Request-ID": "mine"}).status_code == 200
    assert lines("request_started") == lines("request_finished") == []
    assert structlog.contextvars.get_contextvars() == {}


def test_a_call_that_fails_is_logged_under_the_id_that_it_came_with(client, lines):
    assert client.get("/loans/unknown", headers={"X-Request-ID": "mine"}).status_code == 404
    (finished,), (refused,) = lines("request_finished"), lines("request_refused")
    assert (finished["code"], finished["request_id"], refused["request_id"]) == (404, "mine", "mine")
    assert structlog.contextvars.get_contextvars() == {}


def test_the_id_of_a_call_is_echoed_and_stays_beside_the_request_id_of_the_body(client, lines):
    body = '{"requestId": "body-1", "loanId": "L1", "borrowerId": "B", "amount": "no"}'
    post = partial(client.post, "/loan-applications", body, content_type="application/json")
    assert post(headers={"X-Request-ID": "mine"})["X-Request-ID"] == "mine"
    (finished,) = lines("request_finished")
    assert (finished["http_request_id"], finished["request_id"]) == ("mine", "body-1")
    assert len(post()["X-Request-ID"]) == 36


def test_an_id_that_no_header_can_carry_is_cut_and_cleaned(client):
    assert client.get("/loans", headers={"X-Request-ID": "a\r\nSet-Cookie: b\xe9" + "z" * 900})["X-Request-ID"] == (
        "a??Set-Cookie: b?" + "z" * 111
    )


def test_a_call_without_an_id_gets_one_of_its_own(client, lines):
    client.get("/loans/unknown")
    client.get("/loans/unknown")
    first, second = (line["request_id"] for line in lines("request_finished"))
    assert first
    assert second not in {"", first}


def test_what_a_client_chose_is_logged_up_to_a_bounded_length(client, lines):
    client.get(f"/loans/{'x' * 4000}?{'y' * 4000}", headers={"X-Request-ID": "z" * 8000, "User-Agent": "u" * 8000})
    (finished,), (refused,) = lines("request_finished"), lines("request_refused")
    assert finished["request_id"] == refused["request_id"] == "z" * 128
    assert finished["request"] == "GET loans/<loan_id:loanId>"
    assert all(len(str(value)) <= 200 for line in (finished, refused) for value in line.values())


@pytest.mark.parametrize(
    ("path", "template"), [("/loans/greef", "loans/<loan_id:loanId>"), ("/nowhere/greef", "^")], ids=["loan", "nowhere"]
)
def test_no_line_has_a_path_or_parameters_which_may_hold_a_name(client, lines, path, template):
    client.get(f"{path}?borrowerId=greef")
    (finished,) = lines("request_finished")
    assert finished["request"] == f"GET {template}"
    assert [line["route"] for line in lines("request_refused")] in ([], [template])
    assert not any("path" in line for line in (finished, *lines("request_refused")))


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/loans/unknown", "loans/<loan_id:loanId>"),
        ("/health/live", r"^health/live/?\Z"),
        ("/admin/loans/loan/greef/change/", "admin/loans/loan/<path:object_id>/change/"),
        ("/nowhere", "^"),
    ],
)
def test_the_server_is_told_the_template_of_a_path_for_its_own_line(client, path, route):
    assert client.get(path).wsgi_request.META[ROUTE] == route


def test_a_call_without_credentials_asks_for_no_user(client, django_assert_num_queries):
    client.get("/loans")
    with django_assert_num_queries(2):  # the loans and the best price
        assert client.get("/loans").status_code == 200


def test_a_page_is_logged_with_its_user(admin_client, admin_user, lines):
    assert admin_client.get("/admin/loans/unknown/").status_code == 404
    (finished,) = lines("request_finished")
    assert (finished["code"], finished["user_id"]) == (404, admin_user.pk)
