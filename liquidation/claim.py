"""Claim: a breached loan becomes a liquidation, once. From here on its LTV no longer matters."""

import json
from typing import Any, NamedTuple

import structlog
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection

from coruscant import clock, failpoints, history
from coruscant.any_of import AnyOf
from coruscant.controls import in_force
from coruscant.money import decimal_string
from coruscant.restores import holds, identity
from liquidation.controls import withheld
from liquidation.models import ClaimFailure
from loans import candidates, risk, sales, terms
from loans.candidates import Position
from loans.models import Loan, LoanStatus
from pricing.quotes import PricePoint, Quote, unit_price

log = structlog.get_logger(__name__)

BATCH = 500

# What the claim fixes is copied from the locked rows themselves.
_INSERT = """
    INSERT INTO liquidation_liquidation
        (loan_id, terms_id, status, correlation_id, price, price_at, evidence, balance_at_claim,
         collateral_at_claim, claimed_at, collateral_sold, proceeds, fence, due_at, held_by_id,
         orders_may_be_missing)
    SELECT id, terms_id, 'selling', %(correlation_id)s, %(price)s, %(price_at)s, %(evidence)s::jsonb,
           outstanding_balance, collateral, %(now)s, 0, 0, 0, %(now)s, %(held_by)s::bigint,
           %(held_by)s::bigint IS NOT NULL
    FROM loans_loan WHERE id = ANY(%(loans)s) ORDER BY id RETURNING id
"""


class ClaimedBatch(NamedTuple):
    """The liquidations made by one batch of so many candidates; `next` is None when the search has come to its end."""

    liquidation_ids: tuple[int, ...] = ()
    next: Position | None = None
    looked_at: int = 0


def claim_batch(point: PricePoint, position: Position | None = None, *, limit: int = BATCH) -> ClaimedBatch:
    """Claim up to `limit` loans whose LTV reaches the threshold at `point`, beginning after `position`.

    One transaction. Candidates are chosen worst LTV first, locked in id order, and checked again by the exact rule. A
    batch that fails is done again loan by loan; a loan that fails alone is logged, kept in ClaimFailure for a person,
    and skipped. A restore holds claims until they are released, and the sales of later ones until it is compared.
    A pause of claims that holds, or that the price did not outlast, has the batch listed in place of claimed.
    Locks: loans, in id order. Idempotent: a claimed loan is no candidate.
    """
    if not point.may_claim or not identity.accepted() or holds.claims_are_held(point.applies_before):
        return ClaimedBatch()
    if pause := in_force.pause_of_claims(point.applies_before, clock.now()):
        listed, following = withheld.list_batch(pause, point, position, limit)
        return ClaimedBatch(next=following, looked_at=listed)
    search = candidates.breached(point, terms.in_use())
    found, following = search.page(position or search.start, limit)
    if not found:
        return ClaimedBatch()
    ids = sorted(found)
    try:
        claimed = claim_loans(ids, point)
    except OperationalError:
        raise  # the database is unreachable, or there was a deadlock: the evaluation is done again as a whole
    except DatabaseError:
        log.exception("claim_batch_failed", loans=len(ids))
        claimed = [pk for loan_pk in ids for pk in _claim_alone(loan_pk, point)]
    return ClaimedBatch(tuple(claimed), following, len(ids))


def claim_loans(loan_pks: list[int], point: PricePoint) -> list[int]:
    """Claim those of the loans that are breached at `point`; returns the new liquidations' ids. One transaction."""
    price, correlation_id = point.known_price, point.correlation_id
    with history.cause("claim", correlation_id=correlation_id):
        loans = _locked_and_breached(loan_pks, point)
        failpoints.reach("claim.locked")
        if not loans:
            return []
        now, evidence = clock.now(), json.dumps(_evidence(point))
        restore = holds.uncompared()
        claim: dict[str, Any] = {
            "loans": loans, "correlation_id": correlation_id, "price": price, "now": now,
            "held_by": restore and restore.pk,
        }  # fmt: skip
        with connection.cursor() as cursor:
            cursor.execute(_INSERT, {**claim, "price_at": point.at, "evidence": evidence})
            pks = sorted(pk for (pk,) in cursor.fetchall())
        sales.begin_liquidation(loans, now, price)
        ClaimFailure.objects.filter(AnyOf("loan", loans)).delete()
        failpoints.reach("claim.written")
    at = point.at.isoformat()
    log.info("loans_claimed", count=len(pks), price=str(price), price_at=at, correlation_id=correlation_id)
    return pks


def withdraw_failures(point: PricePoint) -> None:
    """Delete the failures that need no person any more: the loan is no longer active, or no longer breached."""

    def is_breached(loan: Loan) -> bool:
        figures = loan.outstanding_balance, loan.collateral, point.known_price, loan.terms.thresholds
        return loan.status == LoanStatus.ACTIVE and risk.must_liquidate(*figures)

    failures = ClaimFailure.objects.select_related("loan__terms").defer("reason")
    ClaimFailure.objects.filter(pk__in=[one.pk for one in failures if not is_breached(one.loan)]).delete()


def _locked_and_breached(loan_pks: list[int], point: PricePoint) -> list[int]:
    """Lock loans, in id order, and return those that are breached under their terms, by the exact rule."""
    price = point.known_price
    locked = list(
        Loan.objects.select_for_update()
        .filter(AnyOf("pk", loan_pks))
        .order_by("pk")
        .values_list("pk", "status", "prices_apply_from", "outstanding_balance", "collateral", "terms_id")
    )
    # Read after the locks: a lock that was waited for may have changed a loan's terms.
    ltvs = terms.of_versions(version for *_columns, version in locked)
    return [
        pk
        for pk, status, prices_apply_from, balance, collateral, version in locked
        if status == LoanStatus.ACTIVE
        and prices_apply_from is not None
        and prices_apply_from < point.applies_before
        and risk.must_liquidate(balance, collateral, price, ltvs[version])
    ]


def _claim_alone(loan_pk: int, point: PricePoint) -> list[int]:
    try:
        return claim_loans([loan_pk], point)
    except OperationalError:
        raise
    except DatabaseError as error:
        log.exception("claim_failed", loan_pk=loan_pk)
        ClaimFailure.objects.update_or_create(
            loan_id=loan_pk, defaults={"reason": str(error), "failed_at": clock.now(), "price": point.known_price}
        )
        return []


def _evidence(point: PricePoint) -> list[dict[str, Any]]:
    """The quotes behind a price, copied because old quotes are pruned; those that did not count; and the guard."""
    confirmed_by = point.confirmed_by or ("",) * len(point.quotes)
    counting = [
        _quote(quote) | ({"confirmedBy": by} if by else {})
        for quote, by in zip(point.quotes, confirmed_by, strict=True)
    ]
    evidence = [*counting, *(_quote(quote) | {"suspect": True} for quote in point.suspect)]
    guard = point.guard
    if guard is None:
        return evidence
    shares = {"jump": guard.jump, "agreement": guard.agreement, "dispute": guard.dispute}
    return [*evidence, {"guard": guard.mode, **{name: decimal_string(share) for name, share in shares.items()}}]


def _quote(quote: Quote) -> dict[str, Any]:
    """A quote with its curve, which gives its price for the reference quantity. Claims of old have neither of those."""
    quantity = settings.PRICE_REFERENCE_QUANTITY
    price = unit_price(quote.sell, quantity)
    return {
        "market": str(quote.market),
        "reference": quote.reference,
        "sentAt": quote.sent_at.isoformat(),
        "price": None if price is None else decimal_string(price),
        "quantity": decimal_string(quantity),
        "curve": [[decimal_string(level.quantity), decimal_string(level.unit_price)] for level in quote.sell],
    }
