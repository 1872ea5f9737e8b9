"""Loans that are active when a schedule begins, so that it need not spend its time on how they became so."""

from decimal import Decimal

from coruscant.history import audit
from loans.models import AcceptedRequest, CollateralPosting, Loan
from proofs.simulation.world import BEGINNING, World

#: GC lent and units held, LTV between 0.5 and 0.625 at 50 GC a unit; a large loan takes several orders to sell.
_LOANS = (
    ("1000", "40"),
    ("1000", "40"),
    ("1000", "41.5"),
    ("1000", "32.000000000000000001"),
    ("6000", "240"),
    ("6000.000000000000000001", "200"),
)

_LEND = """
    INSERT INTO loans_loan
        (loan_id, request_id, borrower_id, amount, outstanding_balance, collateral, status, created_at)
    SELECT 'early-' || number, 'early-' || number, 'borrower', amount, amount, units, 'new', %(now)s
    FROM unnest(%(amounts)s::numeric[], %(units)s::numeric[]) WITH ORDINALITY AS early(amount, units, number)
    ORDER BY number
"""
_ACTIVATE = (
    "UPDATE loans_loan SET status = 'active', activated_at = %(now)s, prices_apply_from = %(now)s"
    " WHERE id = ANY(%(loans)s)"
)
_POST = """
    INSERT INTO loans_collateralposting (loan_id, amount, request_id, created_at)
    SELECT id, collateral, request_id, created_at FROM loans_loan WHERE id = ANY(%(loans)s) ORDER BY id
"""


def begin_with_active_loans(world: World, count: int) -> None:
    """Write active loans as the services would have, with their history."""
    chosen = [world.choice(_LOANS) for _ in range(count)]
    amounts, units = ([Decimal(text) for text in column] for column in zip(*chosen, strict=True))
    with audit.cause("beginning", correlation_id="simulation"):
        early = {"amounts": amounts, "units": units, "now": BEGINNING}
        keys = audit.write_recorded(Loan, _LEND, early, audit.CREATED)
        audit.write_recorded(Loan, _ACTIVATE, {"loans": keys, "now": BEGINNING}, audit.CHANGED)
        audit.write_recorded(CollateralPosting, _POST, {"loans": keys, "now": BEGINNING}, audit.CREATED)
    made = list(Loan.objects.filter(pk__in=keys).order_by("pk"))
    AcceptedRequest.objects.bulk_create(
        AcceptedRequest(
            endpoint=endpoint, request_id=loan.request_id, content_digest="", loan=loan, created_at=BEGINNING
        )
        for loan in made
        for endpoint in AcceptedRequest.Endpoint
    )
    world.log(f"{count} loans are active: {', '.join(f'{loan.collateral:f}' for loan in made)} units")
