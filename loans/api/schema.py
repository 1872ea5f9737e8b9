"""What the OpenAPI schema says about each call: bodies, every error, examples and security."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema

from loans.api.serializers import (
    ID_PATTERN,
    MAX_ID_LENGTH,
    CollateralTopUpSerializer,
    LoanApplicationSerializer,
    LoanPageSerializer,
    LoanSerializer,
    ProblemSerializer,
)
from loans.models import LoanStatus

_PROBLEM = "application/problem+json"
_JSON = "application/json"

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

_DESCRIPTIONS = {
    400: "Malformed JSON, a field of the wrong type, or a bad amount or id: every bad field is named.",
    401: "No credential where one is required, or a bad one.",
    403: "The client is not active, or may not do this.",
    404: "There is no such loan.",
    405: "The path does not know this method.",
    413: "The body is over 64 KiB.",
    415: "The body is not JSON.",
    500: "The service failed. Repeating the same request is safe.",
    503: "The database cannot be reached: repeat the same request after Retry-After seconds.",
}


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


def _problems(*statuses: int, **special: str) -> dict[Any, Any]:
    """Responses for these statuses; `special` (`_409="…"`) gives those that mean something of their own here."""
    meanings = {status: _DESCRIPTIONS[status] for status in statuses}
    meanings |= {int(name.removeprefix("_")): text for name, text in special.items()}
    return {
        (status, _PROBLEM): OpenApiResponse(ProblemSerializer, description=text)
        for status, text in sorted(meanings.items())
    }


def _accepted(loan: dict[str, Any]) -> dict[Any, Any]:
    text = "Accepted: the loan as it is now. The same request again is answered with the same bytes."
    example = OpenApiExample("The loan", value=loan, response_only=True, status_codes=["202"])
    return {(202, _JSON): OpenApiResponse(LoanSerializer, description=text, examples=[example])}


_REPLAYED = OpenApiParameter(
    "Idempotency-Replayed",
    OpenApiTypes.STR,
    OpenApiParameter.HEADER,
    enum=["true"],
    response=[202],
    description="Present when this is the stored first answer to the same request.",
)

application = extend_schema(
    operation_id="applyForLoan",
    summary="Apply for a loan",
    tags=["loans"],
    request=LoanApplicationSerializer,
    parameters=[_REPLAYED],
    responses=_accepted(_NEW_LOAN)
    | _problems(
        400,
        401,
        403,
        405,
        413,
        415,
        500,
        503,
        _409="The loanId is already used by another request.",
        _422="The requestId was accepted before with other content.",
    ),
    examples=[
        OpenApiExample(
            "An application",
            value={"requestId": "req-1", "loanId": "loan-1138", "borrowerId": "mandalorian-7", "amount": "1000"},
            request_only=True,
        )
    ],
)

top_up = extend_schema(
    operation_id="postCollateral",
    summary="Post collateral: the first of a loan, or more",
    tags=["loans"],
    request=CollateralTopUpSerializer,
    parameters=[_REPLAYED],
    responses=_accepted(_ACTIVE_LOAN)
    | _problems(
        400,
        401,
        403,
        404,
        405,
        413,
        415,
        500,
        503,
        _409="The loan is liquidating or liquidated: it takes no more collateral.",
        _422="The requestId was accepted before with other content, the borrower does not own the loan, or the"
        " collateral would exceed 20 integer digits.",
    ),
    examples=[
        OpenApiExample(
            "Forty units",
            value={"requestId": "req-2", "loanId": "loan-1138", "borrowerId": "mandalorian-7", "amount": "40"},
            request_only=True,
        )
    ],
)

loan_list = extend_schema(
    operation_id="listLoans",
    summary="All loans, newest first",
    tags=["loans"],
    parameters=[
        OpenApiParameter("status", OpenApiTypes.STR, enum=LoanStatus.values, description="Only loans of this status"),
        OpenApiParameter(
            "borrowerId",
            {"type": "string", "minLength": 1, "maxLength": MAX_ID_LENGTH, "pattern": ID_PATTERN},
            description="Only loans of this client",
        ),
        OpenApiParameter("cursor", OpenApiTypes.STR, description="The cursor in a page's `next` or `previous`"),
        OpenApiParameter(
            "pageSize",
            {"type": "integer", "minimum": 1, "maximum": 999_999_999, "default": 50},
            description="Loans on a page; more than 200 gives 200",
        ),
    ],
    responses={(200, _JSON): OpenApiResponse(LoanPageSerializer, description="A page of loans.")}
    | _problems(401, 403, 405, 500, 503, _400="A filter, the page size or the cursor is not valid."),
    examples=[
        OpenApiExample(
            "A page",
            value={
                "next": "https://bank.example/loans?cursor=cD0xMTM4",
                "previous": None,
                "results": [_ACTIVE_LOAN, _LIQUIDATED_LOAN],
            },
            response_only=True,
            status_codes=["200"],
        )
    ],
)

loan_detail = extend_schema(
    operation_id="getLoan",
    summary="One loan",
    tags=["loans"],
    parameters=[
        OpenApiParameter(
            "loanId",
            OpenApiTypes.STR,
            OpenApiParameter.PATH,
            description="The loan, percent-encoded; it may hold any character, slashes too",
        )
    ],
    responses={
        (200, _JSON): OpenApiResponse(
            LoanSerializer,
            description="The loan as it is now.",
            examples=[
                OpenApiExample("Active", value=_ACTIVE_LOAN, response_only=True, status_codes=["200"]),
                OpenApiExample("Liquidated", value=_LIQUIDATED_LOAN, response_only=True, status_codes=["200"]),
            ],
        )
    }
    | _problems(401, 403, 404, 405, 500, 503),
)
