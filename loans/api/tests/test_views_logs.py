"""What is logged of a call: its ids and what was wrong, but neither its body nor its credential."""

import logging

import pytest

from loans.api.tests.calls import GOOD, send

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("unpriced")]


def test_logs_carry_the_ids(client, caplog):
    with caplog.at_level(logging.INFO):
        send(client, "/loan-applications", GOOD)
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    (line,) = [line for line in lines if line["event"] == "loan_applied_for"]
    assert (line["request_id"], line["loan_id"]) == ("req-1", "L1")


def refusals(caplog):
    lines = [record.msg for record in caplog.records if isinstance(record.msg, dict)]
    return [line for line in lines if line["event"] == "request_refused"]


def test_a_refused_request_is_logged_with_its_ids_and_without_its_body(client, caplog):
    send(client, "/loan-applications", GOOD | {"amount": "secret", "borrowerId": 5})
    (line,) = refusals(caplog)
    assert (line["request_id"], line["loan_id"]) == ("req-1", "L1")
    assert (line["status"], line["problem"], line["fields"]) == (400, "invalid-request", ["borrowerId", "amount"])
    assert (line["method"], line["route"]) == ("POST", "loan-applications")
    assert "secret" not in str(line)


def test_a_broken_rule_is_logged_by_its_name(client, caplog):
    send(client, "/collateral-top-ups", GOOD)
    (line,) = refusals(caplog)
    assert (line["status"], line["problem"], line["loan_id"]) == (404, "loan-not-found", "L1")


def test_what_cannot_be_read_or_trusted_is_logged_without_credentials(client, caplog):
    send(client, "/loan-applications", "{'secret'")
    send(client, "/loan-applications", GOOD, HTTP_AUTHORIZATION="Token secret")
    send(client, "/loan-applications", GOOD | {"requestId": "\0" * 9})
    assert [(line["status"], line["problem"]) for line in refusals(caplog)] == [
        (400, "Bad Request"),
        (401, "Unauthorized"),
        (400, "invalid-request"),
    ]
    assert "secret" not in caplog.text
    assert "\\u0000" not in caplog.text
