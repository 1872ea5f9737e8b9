"""Loans that are active when a schedule begins, so that it need not spend its time on how they became so."""

from decimal import Decimal

from coruscant import history
from loans.models import AcceptedRequest, CollateralPosting, Loan, LoanStatus
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


def begin_with_active_loans(world: World, count: int) -> None:
    """Write active loans as the services would have, with their history."""
    chosen = [world.choice(_LOANS) for _ in range(count)]
    with history.cause("beginning", correlation_id="simulation"):
        made = Loan.objects.bulk_create(
            Loan(
                loan_id=f"early-{number}",
                request_id=f"early-{number}",
                borrower_id="borrower",
                terms_id=1,
                amount=Decimal(amount),
                outstanding_balance=Decimal(amount),
                collateral=Decimal(units),
                created_at=BEGINNING,
            )
            for number, (amount, units) in enumerate(chosen, 1)
        )
        keys = [loan.pk for loan in made]
        Loan.objects.filter(pk__in=keys).update(
            status=LoanStatus.ACTIVE, activated_at=BEGINNING, prices_apply_from=BEGINNING
        )
        CollateralPosting.objects.bulk_create(
            CollateralPosting(loan=loan, amount=loan.collateral, request_id=loan.request_id, created_at=BEGINNING)
            for loan in made
        )
    AcceptedRequest.objects.bulk_create(
        AcceptedRequest(
            endpoint=endpoint, request_id=loan.request_id, content_digest="", loan=loan, created_at=BEGINNING
        )
        for loan in made
        for endpoint in AcceptedRequest.Endpoint
    )
    world.log(f"{count} loans are active: {', '.join(f'{loan.collateral:f}' for loan in made)} units")
