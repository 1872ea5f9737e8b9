"""A loan as the API shows it."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from coruscant import money
from coruscant.money import ZERO, decimal_string
from loans import risk
from loans.models import CollateralPosting, Loan, LoanStatus, LoanTerms, MarginCall
from pricing.quotes import PricePoint

_LTV_STEP = Decimal(1).scaleb(-24)


def represent(
    loan: Loan, open_margin_call: MarginCall | None, price: Decimal | None, lower: Decimal | None = None
) -> dict[str, Any]:
    """The loan as a JSON object; figures are decimal strings, units of Beskar or GC.

    `price` (GC a unit) is the best price now, None if it is not known. `lower` is the price that activates loans, if
    that is another one: it decides `requiredCollateral`. `ltv` is rounded half-even to 24 decimals,
    `requiredCollateral` up to 24, `collateralValue` is exact. The loan's terms are best loaded already, and for a
    liquidated one its liquidation and event must be.
    """
    return {
        "loanId": loan.loan_id,
        "borrowerId": loan.borrower_id,
        "amount": decimal_string(loan.amount),
        "collateral": decimal_string(loan.collateral),
        "status": str(loan.status),
        "outstandingBalance": decimal_string(loan.outstanding_balance),
        "ltv": ltv_string(loan.outstanding_balance, loan.collateral, price),
        "collateralValue": _value(loan.collateral, price),
        "requiredCollateral": _required(loan, lower or price),
        "openWarning": _open_warning(open_margin_call),
        "createdAt": instant_string(loan.created_at),
        "activatedAt": instant_string(loan.activated_at) if loan.activated_at else None,
        "liquidation": _liquidation(loan),
    }


def represent_details(loan: Loan, postings: Iterable[CollateralPosting]) -> dict[str, Any]:
    """What only the answer about a single loan shows besides: prices in GC a unit, LTVs as ratios, units posted."""
    prices = risk.critical_prices(loan.outstanding_balance, loan.collateral, loan.terms.thresholds)
    return {
        "warningPrice": prices and decimal_string(prices.margin_call),
        "liquidationPrice": prices and decimal_string(prices.liquidation),
        "terms": _terms(loan.terms),
        "postings": [
            {
                "requestId": posting.request_id,
                "amount": decimal_string(posting.amount),
                "at": instant_string(posting.created_at),
            }
            for posting in postings
        ],
    }


def loan_body(loan: Loan, open_margin_call: MarginCall | None, point: PricePoint) -> str:
    """The representation at a price as the JSON text of a response body."""
    body = represent(loan, open_margin_call, point.price, point.lower)
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def ltv_string(balance: Decimal, collateral: Decimal, price: Decimal | None) -> str | None:
    """The LTV as it is shown: rounded half-even to 24 decimals; None without a price or collateral."""
    found = None if price is None else risk.ltv(balance, collateral, price)
    if found is None:
        return None
    return decimal_string(found.quantize(_LTV_STEP, rounding=ROUND_HALF_EVEN, context=money.CONTEXT))


def _value(collateral: Decimal, price: Decimal | None) -> str | None:
    if price is None or collateral == 0:
        return None
    return decimal_string(risk.collateral_value(collateral, price))


def _required(loan: Loan, price: Decimal | None) -> str | None:
    """Units missing to the activation LTV; nothing is required of a loan that takes no more collateral."""
    if loan.status in {LoanStatus.LIQUIDATING, LoanStatus.LIQUIDATED}:
        return decimal_string(ZERO)
    if price is None:
        return None
    thresholds = loan.terms.thresholds
    return decimal_string(risk.required_collateral(loan.outstanding_balance, loan.collateral, price, thresholds))


def _terms(terms: LoanTerms) -> dict[str, Any]:
    return {
        "version": terms.version,
        "activationLtv": decimal_string(terms.activation_ltv),
        "marginCallLtv": decimal_string(terms.margin_call_ltv),
        "marginCallClearLtv": decimal_string(terms.margin_call_clear_ltv),
        "liquidationLtv": decimal_string(terms.liquidation_ltv),
    }


def _open_warning(margin_call: MarginCall | None) -> dict[str, Any] | None:
    if margin_call is None:
        return None
    return {
        "openedAt": instant_string(margin_call.opened_at),
        "price": decimal_string(margin_call.price),
        "ltv": ltv_string(margin_call.outstanding_balance, margin_call.collateral, margin_call.price),
    }


def _liquidation(loan: Loan) -> dict[str, Any] | None:
    """The figures of the published event, as they are in its body."""
    event = getattr(getattr(loan, "liquidation", None), "event", None) if loan.status == LoanStatus.LIQUIDATED else None
    if event is None:
        return None
    body = json.loads(event.body)
    names = ("eventId", "collateralSold", "collateralSoldValue", "outstandingCollateral", "outstandingBalance")
    return {name: body[name] for name in names}


def instant_string(at: datetime) -> str:
    """An instant in UTC, in RFC 3339."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")
