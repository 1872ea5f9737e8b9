"""Calls of the API for tests, and what every refusal of it looks like."""

import json

GOOD = {"requestId": "req-1", "loanId": "L1", "borrowerId": "borrower-1", "amount": "1000"}
PROBLEM = "application/problem+json"


def send(client, path, body, content_type="application/json", **extra):
    raw = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(path, raw, content_type=content_type, **extra)


def refused(response, status):
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    body = response.json()
    assert body["status"] == status
    assert {"type", "title"} <= body.keys()
    return body


def bad_fields(response):
    return {error["field"] for error in refused(response, 400)["errors"]}
