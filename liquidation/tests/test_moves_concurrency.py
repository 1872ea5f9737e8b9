"""A move waits for the postings that are under way, and no posting is lost to it."""

import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import transaction

from coruscant import failpoints
from liquidation import moves
from liquidation.moves import Move
from loans.models import Loan
from loans.postings import post_collateral
from loans.tests.factories import LoanFactory, make_terms
from loans.tests.threads import at_once

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_move_waits_for_a_posting_that_activates_its_loan(quote, enqueued, monkeypatch):
    """It has read the price under the old terms, so what that price does comes first."""
    monkeypatch.setattr(moves, "FEED_MAY_LAG", timedelta(seconds=50))
    make_terms()
    quote("50")
    loan = LoanFactory()
    written, moving, moved = threading.Event(), threading.Event(), threading.Event()

    def wait_for_the_move(name: str) -> None:
        if name == "posting.written":
            written.set()
            moving.wait(10)
            assert not moved.wait(0.5), "the posting is not committed"

    def post() -> None:
        post_collateral(
            client="otc", request_id="r-1", loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=Decimal(40)
        )

    def move() -> None:
        written.wait(10)
        moving.set()
        with transaction.atomic():
            planned = Move(1, 2, loan.pk)
            moves.lock(planned)
            moved.set()
            moves.carry_out(planned, most_sold=0, most_called=0)

    failpoints.arm(wait_for_the_move)
    try:
        assert at_once(post, move) == [None, None]
    finally:
        failpoints.arm(None)
    found = Loan.objects.get()
    assert (found.status, found.terms_id, found.collateral) == ("active", 2, 40)
    entry = found.history.filter(status="active").earliest()
    assert entry.terms_id == 1
    assert found.prices_apply_from > entry.prices_apply_from
