"""OpenAPI links: which call may follow which, and what it takes from the answer of the first."""

from typing import Any

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
