"""What the OpenAPI schema says about each call: bodies, every error, examples and security."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from loans.api.serializers import (
    ID_SCHEMA,
    CollateralTopUpSerializer,
    LoanApplicationSerializer,
    LoanPageSerializer,
    LoanSerializer,
    ProblemSerializer,
)
from loans.models import LoanStatus

_NEW_LOAN = {
    "loanId": "loan-1138",
    "borrowerId": "mandalorian-7",
    "amount": "1000",
    "collateral": "0",
    "status": "new",
    "outstandingBalance": "1000",
    "ltv": None,
    "collateralValue": None,
    "requiredCollateral": "40",
    "openWarning": None,
    "createdAt": "2026-05-04T12:00:00.000000Z",
    "activatedAt": None,
    "liquidation": None,
}
_ACTIVE_LOAN = _NEW_LOAN | {
    "collateral": "40",
    "status": "active",
    "ltv": "0.5",
    "collateralValue": "2000",
    "requiredCollateral": "0",
    "activatedAt": "2026-05-04T12:00:05.000000Z",
}
_LIQUIDATED_LOAN = _ACTIVE_LOAN | {
    "collateral": "8",
    "status": "liquidated",
    "outstandingBalance": "0",
    "ltv": "0",
    "collateralValue": "250",
    "liquidation": {
        "eventId": "7f1c1f5e-6c1f-4f43-9b41-6f8a44a8b0d1",
        "collateralSold": "32",
        "collateralSoldValue": "1000",
        "outstandingCollateral": "8",
        "outstandingBalance": "0",
    },
}

#: What every call may answer with, and every call with a body besides.
_ALWAYS = {
    401: "No credential where one is required, or a bad one.",
    403: "The client is not active, or may not do this.",
    405: "The path does not know this method.",
    500: "The service failed. Repeating the same request is safe.",
    503: "The database cannot be reached: repeat the same request after Retry-After seconds.",
}
_WITH_A_BODY = {
    400: "Malformed JSON, a field of the wrong type, or a bad amount or id: every bad field is named.",
    413: "The body is over 64 KiB.",
    415: "The body is not JSON.",
}
_NO_LOAN = {404: "There is no such loan."}


class ClientAuthenticationScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How `ClientAuthentication` looks in the schema."""

    target_class = "loans.api.authentication.ClientAuthentication"
    name = ["clientCredential", "representativeSession"]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        """Either of them is enough."""
        return [{name: []} for name in self.name]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        """The header of a client, and the session cookie of a representative."""
        return [
            {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "A client's credential: `Token <credential>`.",
            },
            {
                "type": "apiKey",
                "in": "cookie",
                "name": "sessionid",
                "description": "A representative signed in to the admin; posts need the CSRF token as well.",
            },
        ]


def _call(
    operation_id: str, status: int, answer: Any, description: str, loans: dict[str, Any], problems: dict[int, str]
) -> dict[str, Any]:
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
    return {"operation_id": operation_id, "tags": ["loans"], "responses": found | refused}


def _accepting(operation_id: str, request: Any, example: OpenApiExample, loan: Any, problems: dict[int, str]) -> Any:
    """What is said of a request that takes effect once."""
    description = "Accepted: the loan as it is now. The same request again is answered with the same bytes."
    replayed = OpenApiParameter(
        "Idempotency-Replayed",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        enum=["true"],
        response=[202],
        description="Present when this is the stored first answer to the same request.",
    )
    call = _call(operation_id, 202, LoanSerializer, description, {"The loan": loan}, _WITH_A_BODY | problems)
    return call | {"request": request, "parameters": [replayed], "examples": [example]}


def _request(name: str, request_id: str, amount: str) -> OpenApiExample:
    value = {"requestId": request_id, "loanId": "loan-1138", "borrowerId": "mandalorian-7", "amount": amount}
    return OpenApiExample(name, value=value, request_only=True)


application = extend_schema(
    summary="Apply for a loan",
    **_accepting(
        "applyForLoan",
        LoanApplicationSerializer,
        _request("An application", "req-1", "1000"),
        _NEW_LOAN,
        {
            409: "The loanId is already used by another request.",
            422: "The requestId was accepted before with other content.",
        },
    ),
)

top_up = extend_schema(
    summary="Post collateral: the first of a loan, or more",
    **_accepting(
        "postCollateral",
        CollateralTopUpSerializer,
        _request("Forty units", "req-2", "40"),
        _ACTIVE_LOAN,
        _NO_LOAN
        | {
            409: "The loan is liquidating or liquidated: it takes no more collateral.",
            422: "The requestId was accepted before with other content, the borrower does not own the loan, or the"
            " collateral would exceed 20 integer digits.",
        },
    ),
)

loan_list = extend_schema(
    summary="All loans, newest first",
    parameters=[
        OpenApiParameter("status", OpenApiTypes.STR, enum=LoanStatus.values, description="Only loans of this status"),
        OpenApiParameter("borrowerId", ID_SCHEMA, description="Only loans of this client"),
        OpenApiParameter("cursor", OpenApiTypes.STR, description="The cursor in a page's `next` or `previous`"),
        OpenApiParameter(
            "pageSize",
            {"type": "integer", "minimum": 1, "maximum": 999_999_999, "default": 50},
            description="Loans on a page; more than 200 gives 200",
        ),
    ],
    **_call(
        "listLoans",
        200,
        LoanPageSerializer,
        "A page of loans.",
        {
            "A page": {
                "next": "https://bank.example/loans?cursor=cD0xMTM4",
                "previous": None,
                "results": [_ACTIVE_LOAN, _LIQUIDATED_LOAN],
            }
        },
        {400: "A filter, the page size or the cursor is not valid."},
    ),
)

loan_detail = extend_schema(
    summary="One loan",
    parameters=[
        OpenApiParameter(
            "loanId",
            OpenApiTypes.STR,
            OpenApiParameter.PATH,
            description="The loan, percent-encoded; it may hold any character, slashes too",
        )
    ],
    **_call(
        "getLoan",
        200,
        LoanSerializer,
        "The loan as it is now.",
        {"Active": _ACTIVE_LOAN, "Liquidated": _LIQUIDATED_LOAN},
        _NO_LOAN,
    ),
)
