"""What schemathesis sends, changed a little: else nearly every well-formed request would meet the one before it."""

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import schemathesis

from proofs.fuzzing.contract_amounts import can_be_stored

#: Longer request lines are refused by gunicorn itself (414), which is documented for no single path.
_LONGEST_QUERY = 3500
#: Every so many well-formed requests go out as schemathesis made them.
_AS_MADE = 4


@schemathesis.hook
def filter_query(context: schemathesis.HookContext, query: Any) -> bool:
    """Leave out what is too long for the web server."""
    return not isinstance(query, Mapping) or len(urlencode(query, doseq=True, errors="replace")) <= _LONGEST_QUERY


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], kwargs: dict[str, Any]) -> None:
    """Give most well-formed posts a requestId of their own, applications a loanId too, and an amount that fits.

    What is made to be refused is never touched, nor are the examples of the document.
    """
    meta = case.meta
    body: Any = case.body
    if meta is None or not meta.generation.mode.is_positive or meta.phase.name.value not in {"fuzzing", "stateful"}:
        return
    if not isinstance(body, dict) or not body.keys() >= {"requestId", "loanId", "amount"}:
        return
    own = uuid.uuid4()
    if own.int % _AS_MADE == 0:
        return
    changes = {"requestId": f"{own}"}
    if case.operation.path == "/loan-applications":
        changes["loanId"] = f"loan {own}"
    if not can_be_stored(body["amount"]):
        changes["amount"] = f"{own.int % 10**9}.{own.int % 10**12 + 1:012}"
    case.body = {**body, **changes}
