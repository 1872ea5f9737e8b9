"""The evidence made of the rows about a loan. It asks the database nothing more: the same rows, the same document."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from desk.evidence.books import Books
from desk.evidence.timeline import cause_of, timeline
from desk.evidence.values import picked, plain
from liquidation.models import Liquidation, OrderAnswer, TradeOrder
from liquidation.reconciliation.models import ReconciliationDifference, StatementTrade
from loans.models import MarginCall, MarginNotice
from loans.representation import ltv_string

#: Of the document's form, which docs/evidence.schema.json describes. Raised when a reader would have to change.
VERSION: Final = 1

_OF_AN_APPROVAL: Final = (
    "id", "action", "arguments", "effect", "why", "asked_by_id", "asked_by_name", "asked_at", "on_command_line",
    "expires_at", "outcome", "decided_by_id", "decided_by_name", "decided_at", "note",
)  # fmt: skip
_OF_A_RESTORE: Final = (
    "id", "since", "reason", "begun_at", "begun_by", "compared_at", "claims_released_at", "claims_released_by",
)  # fmt: skip


def assemble(books: Books) -> dict[str, Any]:
    """Everything about the loan, as JSON: figures are strings, instants RFC 3339 in UTC. Amounts in units and GC."""
    loan = books.loan
    found: dict[str, Any] = plain(
        {
            "version": VERSION,
            "loan": picked(
                loan, "id", "loan_id", "borrower_id", "request_id", "status", "amount", "collateral",
                "outstanding_balance", "created_at", "activated_at", "activation_price", "prices_apply_from",
            ) | {"terms": loan.terms_id},
            "terms": _terms(books),
            "postings": [picked(one, "id", "request_id", "amount", "created_at") for one in books.postings],
            "marginNotices": [_margin_notice(one) for one in books.margin_notices],
            "marginCalls": [_margin_call(one) for one in books.margin_calls],
            "withheldClaims": [_withheld(one) for one in books.withheld],
            "claimFailure": books.claim_failure and picked(books.claim_failure, "price", "reason", "failed_at"),
            "liquidation": books.liquidation and _liquidation(books.liquidation, books),
            "loanEvents": [picked(one, "sequence", "event_type") | _event(one) for one in books.loan_events],
            "statements": {
                "trades": [_stated(one) for one in books.stated],
                "differences": [_difference(one) for one in books.differences],
            },
            "approvals": [picked(one, *_OF_AN_APPROVAL) for one in books.approvals],
            "restores": [picked(one, *_OF_A_RESTORE) for one in books.restores],
            "timeline": timeline(books.history),
        }
    )  # fmt: skip
    return found


def _terms(books: Books) -> dict[str, Any]:
    """The terms the loan was opened under, each move to others, and the LTVs of all that any row names."""
    entries = books.history["loan"]
    moves = [
        {"at": entry.history_date, "from": before.terms_id, "to": entry.terms_id, "cause": cause_of(entry)}
        for before, entry in pairwise(entries)
        if before.terms_id != entry.terms_id
    ]
    return {
        "openedUnder": entries[0].terms_id if entries else books.loan.terms_id,
        "moves": moves,
        "versions": [
            picked(
                one, "version", "activation_ltv", "margin_call_ltv", "margin_call_clear_ltv", "liquidation_ltv",
                "valid_from", "asked_by", "agreed_by",
            )
            for one in books.terms
        ],
    }  # fmt: skip


def _margin_notice(notice: MarginNotice) -> dict[str, Any]:
    columns = picked(
        notice, "id", "notice_ltv", "price", "price_at", "outstanding_balance", "collateral", "noticed_at", "ended_at"
    )
    return columns | {"ltv": ltv_string(notice.outstanding_balance, notice.collateral, notice.price)}


def _margin_call(call: MarginCall) -> dict[str, Any]:
    columns = picked(
        call, "id", "price", "price_at", "outstanding_balance", "collateral", "opened_at", "closed_at", "close_reason",
        "cleared_to",
    )  # fmt: skip
    ltv = ltv_string(call.outstanding_balance, call.collateral, call.price)
    return columns | {"terms": call.terms_id, "ltv": ltv}


def _withheld(one: Any) -> dict[str, Any]:
    """A claim that a pause withheld, and the pause."""
    columns = picked(one, "price", "price_at", "outstanding_balance", "collateral", "withheld_at")
    pause = picked(
        one.control, "id", "kind", "began_at", "until", "why", "pulled_by", "two_people", "on_command_line", "ended_by"
    )
    return columns | {"control": pause}


def _liquidation(sale: Liquidation, books: Books) -> dict[str, Any]:
    answers: dict[int, list[OrderAnswer]] = {order.pk: [] for order in books.orders}
    for answer in books.answers:
        answers[answer.order_id].append(answer)
    figures = ("collateral_sold", "proceeds", "surplus", "shortfall", "collateral_left", "settled_at")
    return {
        **picked(sale, "id", "status", "orders_may_be_missing"),
        "heldByRestore": sale.held_by_id,
        "claim": _claim(sale),
        "orders": [_order(order, answers[order.pk]) for order in books.orders],
        "sale": picked(sale, *figures),
        "event": books.event and _event(books.event),
    }


def _claim(sale: Liquidation) -> dict[str, Any]:
    """What the claim fixed, with the quotes behind its price, the best one first, and the guard over prices."""
    quotes = [one for one in sale.evidence if "market" in one]
    guard = next((one for one in sale.evidence if "guard" in one), None)
    return {
        **picked(sale, "claimed_at", "correlation_id", "price", "price_at"),
        "terms": sale.terms_id,
        "outstandingBalance": sale.balance_at_claim,
        "collateral": sale.collateral_at_claim,
        "ltv": ltv_string(sale.balance_at_claim, sale.collateral_at_claim, sale.price),
        "quotes": [_quote(one) for one in quotes],
        "guard": guard and {"mode": guard["guard"], **{name: guard[name] for name in ("jump", "agreement", "dispute")}},
    }


def _quote(stored: dict[str, Any]) -> dict[str, Any]:
    """A quote as the claim kept it: `price` is that of `quantity` units. A suspect one did not count.

    Claims from before that was kept have no quantity and no curve, and neither has a market's statement.
    """
    return {
        "market": stored["market"],
        "reference": stored["reference"],
        "sentAt": datetime.fromisoformat(stored["sentAt"]),
        "price": stored["price"],
        "quantity": stored.get("quantity"),
        "curve": stored.get("curve"),
        "confirmedBy": stored.get("confirmedBy", ""),
        "suspect": stored.get("suspect", False),
    }


def _order(order: TradeOrder, answers: Sequence[OrderAnswer]) -> dict[str, Any]:
    """An order with each send of it, and what came back for that: nothing, an answer, after a restore perhaps two."""
    last = max([order.sends, *(answer.send for answer in answers)])
    sends = [
        {"send": number, "answers": [_answer(answer) for answer in answers if answer.send == number]}
        for number in range(1, last + 1)
    ]
    columns = picked(
        order, "id", "sequence", "market", "number", "request_id", "quantity", "quoted_unit_price", "payload", "status",
        "venue_order_id", "units_traded", "proceeds", "created_at", "answered_at", "refusals_prove_nothing",
    )  # fmt: skip
    return columns | {"sends": sends}


def _answer(answer: OrderAnswer) -> dict[str, Any]:
    return picked(answer, "received_at", "kind", "text", "stale")


def _event(event: Any) -> dict[str, Any]:
    """An event and its delivery: `sentAt` is when SNS had taken it, under `messageId`; `sends` counts the tries."""
    return picked(event, "event_id", "body", "created_at", "sent_at", "message_id", "sends")


def _statement(row: StatementTrade | ReconciliationDifference) -> dict[str, Any]:
    return picked(row.reconciliation, "id", "period_from", "period_to", "digest", "compared_at", "compared_by")


def _stated(line: StatementTrade) -> dict[str, Any]:
    columns = picked(line, "market", "request_id", "units", "proceeds", "traded_at")
    return columns | {"statement": _statement(line)}


def _difference(one: ReconciliationDifference) -> dict[str, Any]:
    columns = picked(
        one, "id", "market", "request_id", "kind", "status", "units", "proceeds", "traded_at", "number", "found_at",
        "closed_at", "note",
    )  # fmt: skip
    return columns | {"order": one.order_id, "statement": _statement(one)}
