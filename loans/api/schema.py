"""What the OpenAPI schema says about each call: bodies, every error, examples, links and security."""

from collections.abc import Callable
from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import F, OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from loans.api.serializers import (
    ID_SCHEMA,
    CollateralTopUpSerializer,
    LoanApplicationSerializer,
    LoanDetailSerializer,
    LoanPageSerializer,
    LoanSerializer,
    ProblemSerializer,
)
from loans.models import LoanStatus

_NEW_LOAN = {
    "loanId": "loan-1138", "borrowerId": "mandalorian-7", "amount": "1000", "collateral": "0", "status": "new",
    "outstandingBalance": "1000", "ltv": None, "collateralValue": None, "requiredCollateral": "40", "openWarning": None,
    "createdAt": "2026-05-04T12:00:00.000000Z", "activatedAt": None, "liquidation": None,
}  # fmt: skip
_ACTIVE_LOAN = _NEW_LOAN | {
    "collateral": "40", "status": "active", "ltv": "0.5", "collateralValue": "2000", "requiredCollateral": "0",
    "activatedAt": "2026-05-04T12:00:05.000000Z",
}  # fmt: skip
_LIQUIDATED_LOAN = _ACTIVE_LOAN | {
    "collateral": "8", "status": "liquidated", "outstandingBalance": "0", "ltv": "0", "collateralValue": "250",
    "liquidation": {
        "eventId": "7f1c1f5e-6c1f-4f43-9b41-6f8a44a8b0d1", "collateralSold": "32", "collateralSoldValue": "1000",
        "outstandingCollateral": "8", "outstandingBalance": "0",
    },
}  # fmt: skip

_TERMS = {
    "version": 1, "activationLtv": "0.5", "marginCallLtv": "0.7", "marginCallClearLtv": "0.6", "liquidationLtv": "0.8",
}  # fmt: skip
_POSTINGS = [{"requestId": "req-2", "amount": "40", "at": "2026-05-04T12:00:05.000000Z"}]
_DETAILS = {"warningPrice": None, "liquidationPrice": None, "terms": _TERMS, "postings": _POSTINGS}
_ACTIVE_DETAILS = _DETAILS | {"warningPrice": "35.714285714285714285714285", "liquidationPrice": "31.25"}

#: What every call may answer with, and every call with a body besides.
_ALWAYS = {
    401: "No credential where one is required, or a bad one.",
    403: "The client is not active, or may not do this.",
    405: "The path does not know this method.",
    429: "Too many calls in this minute: repeat the same request after Retry-After seconds. A repetition of an accepted"
    " request is never refused, nor counted.",
    500: "The service failed. Repeating the same request is safe.",
    503: "The database cannot be reached: repeat the same request after Retry-After seconds.",
}
_WITH_A_BODY = {
    400: "Malformed JSON, a field of the wrong type, or a bad amount or id: every bad field is named.",
    413: "The body is over 64 KiB.",
    415: "The body is not JSON.",
}
_NO_LOAN = {404: "There is no such loan, or none that the client may see."}
_REUSED = "The requestId was accepted before with other content"


class ClientAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How `ClientAuthentication` looks in the schema: a client's header or a representative's cookie is enough."""

    target_class = "loans.api.authentication.ClientAuthentication"
    name = ["clientCredential", "representativeSession"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        header = "`Token`, a blank, and a client's credential."
        cookie = "A representative signed in to the admin; posts need the CSRF token as well."
        return [
            {"type": "apiKey", "in": "header", "name": "Authorization", "description": header},
            {"type": "apiKey", "in": "cookie", "name": "sessionid", "description": cookie},
        ]


def _call(
    status: int, answer: Any, description: str, loans: dict[str, Any], problems: dict[int, str], **call: Any
) -> Callable[[F], F]:
    """What is said of every call: its answer, an example of that by name, and the problems it may answer with."""
    examples = [
        OpenApiExample(name, value=value, response_only=True, status_codes=[str(status)])
        for name, value in loans.items()
    ]
    found = {(status, "application/json"): OpenApiResponse(answer, description=description, examples=examples)}
    refused = {
        (status, "application/problem+json"): OpenApiResponse(ProblemSerializer, description=text)
        for status, text in sorted((_ALWAYS | problems).items())
    }
    return extend_schema(tags=["loans"], responses=found | refused, **call)


def _accepting(loan: dict[str, Any], problems: dict[int, str], **call: Any) -> Callable[[F], F]:
    """What is said of a request that takes effect once."""
    description = "Accepted: the loan as it is now. The same request again is answered with the same bytes."
    replay = "Present when this is the stored first answer to the same request."
    header = OpenApiParameter(
        "Idempotency-Replayed", str, OpenApiParameter.HEADER, enum=["true"], response=[202], description=replay
    )
    known = _WITH_A_BODY | problems
    return _call(202, LoanSerializer, description, {"The loan": loan}, known, parameters=[header], **call)


def _request(name: str, request_id: str, amount: str) -> list[OpenApiExample]:
    value = {"requestId": request_id, "loanId": "loan-1138", "borrowerId": "mandalorian-7", "amount": amount}
    return [OpenApiExample(name, value=value, request_only=True)]


application = _accepting(
    _NEW_LOAN,
    {409: "The loanId is already used by another request.", 422: f"{_REUSED}."},
    operation_id="applyForLoan",
    summary="Apply for a loan",
    request=LoanApplicationSerializer,
    examples=_request("An application", "req-1", "1000"),
)

top_up = _accepting(
    _ACTIVE_LOAN,
    _NO_LOAN
    | {
        409: "The loan is liquidating or liquidated: it takes no more collateral.",
        422: f"{_REUSED}, the borrower does not own the loan, or the collateral would exceed 20 integer digits.",
    },
    operation_id="postCollateral",
    summary="Post collateral: the first of a loan, or more",
    request=CollateralTopUpSerializer,
    examples=_request("Forty units", "req-2", "40"),
)

_PAGE = {
    "next": "https://bank.example/loans?cursor=cD0xMTM4",
    "previous": None,
    "results": [_ACTIVE_LOAN, _LIQUIDATED_LOAN],
}
_PAGE_SIZE = {"type": "integer", "minimum": 1, "maximum": 999_999_999, "default": 50}
loan_list = _call(
    200,
    LoanPageSerializer,
    "A page of loans.",
    {"A page": _PAGE},
    {400: "A filter, the page size or the cursor is not valid."},
    operation_id="listLoans",
    summary="All loans, newest first",
    parameters=[
        OpenApiParameter("status", enum=LoanStatus.values, description="Only loans of this status"),
        OpenApiParameter("borrowerId", ID_SCHEMA, description="Only loans of this client"),
        OpenApiParameter("cursor", description="The cursor in a page's `next` or `previous`"),
        OpenApiParameter("pageSize", _PAGE_SIZE, description="Loans on a page; more than 200 gives 200"),
    ],
)

_ANY_CHARACTER = "The loan, percent-encoded; it may hold any character, slashes too"
loan_detail = _call(
    200,
    LoanDetailSerializer,
    "The loan as it is now.",
    {"Active": _ACTIVE_LOAN | _ACTIVE_DETAILS, "Liquidated": _LIQUIDATED_LOAN | _DETAILS},
    _NO_LOAN,
    operation_id="getLoan",
    summary="One loan",
    parameters=[OpenApiParameter("loanId", str, OpenApiParameter.PATH, description=_ANY_CHARACTER)],
)

# Which call may follow which, and what it takes from the answer of the first.
_LOAN_ID, _BORROWER_ID = "$response.body#/loanId", "$response.body#/borrowerId"
_COLLATERAL = {
    "operationId": "postCollateral",
    "requestBody": {"loanId": _LOAN_ID, "borrowerId": _BORROWER_ID},
    "description": "Collateral for the same loan; add a requestId of its own and the amount.",
}


def _get(operation_id: str, parameter: str, source: str, description: str) -> dict[str, Any]:
    return {"operationId": operation_id, "parameters": {parameter: source}, "description": description}


_LOAN = _get("getLoan", "loanId", _LOAN_ID, "The same loan, as it is now.")
_LOANS = _get("listLoans", "borrowerId", _BORROWER_ID, "All loans of the same client.")
_FIRST = _get("getLoan", "loanId", "$response.body#/results/0/loanId", "The newest loan of the page.")
_LINKS: dict[tuple[str, str, str], dict[str, Any]] = {
    ("/loan-applications", "post", "202"): {"getLoan": _LOAN, "postCollateral": _COLLATERAL, "listLoans": _LOANS},
    ("/collateral-top-ups", "post", "202"): {"getLoan": _LOAN, "postCollateral": _COLLATERAL, "listLoans": _LOANS},
    ("/loans/{loanId}", "get", "200"): {"postCollateral": _COLLATERAL, "listLoans": _LOANS},
    ("/loans", "get", "200"): {"getLoan": _FIRST},
}


def add_links(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Add the links to a generated schema. Registered as one of drf-spectacular's POSTPROCESSING_HOOKS."""
    for (path, method, status), links in _LINKS.items():
        result["paths"][path][method]["responses"][status]["links"] = links
    return result
