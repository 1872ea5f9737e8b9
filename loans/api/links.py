"""OpenAPI links: which call may follow which, and what it takes from the answer of the first."""

from typing import Any

_THE_LOAN = {
    "operationId": "getLoan",
    "parameters": {"loanId": "$response.body#/loanId"},
    "description": "The same loan, as it is now.",
}
_ITS_COLLATERAL = {
    "operationId": "postCollateral",
    "requestBody": {"loanId": "$response.body#/loanId", "borrowerId": "$response.body#/borrowerId"},
    "description": "Collateral for the same loan; add a requestId of its own and the amount.",
}
_LOANS_OF_ITS_BORROWER = {
    "operationId": "listLoans",
    "parameters": {"borrowerId": "$response.body#/borrowerId"},
    "description": "All loans of the same client.",
}
_AFTER_A_LOAN = {"getLoan": _THE_LOAN, "postCollateral": _ITS_COLLATERAL, "listLoans": _LOANS_OF_ITS_BORROWER}
_FIRST_OF_THE_PAGE = {
    "operationId": "getLoan",
    "parameters": {"loanId": "$response.body#/results/0/loanId"},
    "description": "The newest loan of the page.",
}
_LINKS: dict[tuple[str, str, str], dict[str, Any]] = {
    ("/loan-applications", "post", "202"): _AFTER_A_LOAN,
    ("/collateral-top-ups", "post", "202"): _AFTER_A_LOAN,
    ("/loans/{loanId}", "get", "200"): {"postCollateral": _ITS_COLLATERAL, "listLoans": _LOANS_OF_ITS_BORROWER},
    ("/loans", "get", "200"): {"getLoan": _FIRST_OF_THE_PAGE},
}


def add_links(result: dict[str, Any], **_context: Any) -> dict[str, Any]:
    """Add the links to a generated schema. Registered as one of drf-spectacular's POSTPROCESSING_HOOKS."""
    for (path, method, status), links in _LINKS.items():
        result["paths"][path][method]["responses"][status]["links"] = links
    return result
