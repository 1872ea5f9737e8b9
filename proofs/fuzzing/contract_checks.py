"""Checks of our own, beside schemathesis's: that every refusal says what it is, and why."""

import json
from typing import Any

import schemathesis

import proofs.fuzzing.contract_requests  # noqa: F401  (registers its hook)
from proofs.fuzzing.contract_amounts import can_be_stored

_PREFIX = "urn:coruscant-bank:problem:"
#: What the bank may know against a request that is well formed, by operation and status.
_CONFLICTS = {
    ("applyForLoan", 409): {"loan-id-taken"},
    ("applyForLoan", 422): {"request-id-reused"},
    ("postCollateral", 404): {"loan-not-found"},
    ("postCollateral", 409): {"loan-closed"},
    ("postCollateral", 422): {"request-id-reused", "not-the-borrower", "collateral-too-large"},
    ("getLoan", 404): {"loan-not-found"},
}
_FIRST_REFUSAL = 400


@schemathesis.check
def refusals_are_problems(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """Every answer from 400 up is problem+json, and its body repeats the status."""
    if response.status_code < _FIRST_REFUSAL or response.request.method == "HEAD":
        return
    media_type = response.headers.get("content-type", [""])[0]
    assert media_type == "application/problem+json", f"a refusal as {media_type!r}"
    body = response.json()
    assert body["status"] == response.status_code, body


@schemathesis.check
def refusals_have_their_reason(
    ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]
) -> None:
    """A well-formed request is refused only for what the bank knows, an exponent's value, or a cursor."""
    if case.meta is None or not case.meta.generation.mode.is_positive or response.status_code < _FIRST_REFUSAL:
        return
    if response.request.method != case.operation.method.upper():
        return  # a probe of a method that the path does not know
    operation = case.operation.definition.raw["operationId"]
    problem = response.json()
    if response.status_code != _FIRST_REFUSAL:
        reasons = _CONFLICTS.get((operation, response.status_code), set())
        assert problem["type"].removeprefix(_PREFIX) in reasons, f"{operation}: {problem}"
        return
    fields = {error["field"] for error in problem["errors"]}
    if operation == "listLoans":
        assert fields == {"cursor"}, problem
    else:
        assert fields == {"amount"}, problem
        assert not can_be_stored(_sent_amount(response)), f"a good amount was refused: {problem}"


def _sent_amount(response: schemathesis.Response) -> str:
    body: Any = response.request.body
    return str(json.loads(body)["amount"])
