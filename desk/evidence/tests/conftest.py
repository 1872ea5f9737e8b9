"""Loans with a past, made by the services: the OTC service applies and posts, prices move, markets trade and fail."""

from decimal import Decimal

import pytest

from coruscant import history
from liquidation import publish
from liquidation.evaluate import evaluate_loans
from liquidation.models import Liquidation
from liquidation.sell import Outcome, sell
from loans.applications import apply_for_loan
from loans.events.tests.support import name_topic
from loans.postings import post_collateral

LOAN_ID = "be4ed368-13f9"
#: Prices of a market whose curve falls with depth: for the reference quantity of the tests it lies between two levels.
DEEP = ("30", "29", "28", "27")


class Past:
    """Lets things happen one after another, each at an instant of its own."""

    def __init__(self, time_passes, quote):
        self._time_passes, self._quote = time_passes, quote

    def lend(self, loan_id=LOAN_ID, *, units="40"):
        """1000 GC against so many units, at 50 GC a unit: active, at 50 % by default."""
        self.quote("50")
        with history.acting_as("otc", 5):
            apply_for_loan(
                client="otc", request_id=f"apply-{loan_id}", loan_id=loan_id, borrower_id="client-258",
                amount=Decimal(1000),
            )  # fmt: skip
        self.post(units, loan_id)
        return loan_id

    def post(self, units, loan_id=LOAN_ID):
        self._time_passes(seconds=1)
        with history.acting_as("otc", 5):
            post_collateral(
                client="otc", request_id=f"post-{units}-{loan_id}", loan_id=loan_id, borrower_id="client-258",
                amount=Decimal(units),
            )  # fmt: skip

    def quote(self, *prices, **columns):
        self._time_passes(seconds=1)
        return self._quote(*prices, **columns)

    def price(self, *prices, **columns):
        """A quote, and the evaluation of all loans by it."""
        made = self.quote(*prices, **columns)
        assert evaluate_loans()
        return made

    def sell(self):
        """Sell until it is settled, or waits for a person."""
        for _ in range(20):
            outcome = sell(Liquidation.objects.get().pk)
            if outcome in (Outcome.SETTLED, Outcome.WAITING):
                return outcome
            self._time_passes(seconds=3)
        raise AssertionError("it is neither settled nor waiting")


@pytest.fixture
def past(time_passes, quote, enqueued, settings):
    settings.PRICE_REFERENCE_QUANTITY = Decimal(5)
    name_topic()
    return Past(time_passes, quote)


@pytest.fixture
def sold(past, markets, sns):
    """A loan that was called, claimed and sold by orders that failed at first; all events are sent. Its loanId."""
    loan_id = past.lend()
    past.price("35")
    past.quote("29", market="black_spire_outpost")
    past.price(*DEEP)
    markets.price = dict.fromkeys(markets.price, Decimal("28.5"))
    markets.then(*["refuse"] * 3, 500, "trade, then lose the answer", "trade", "half")
    assert past.sell() is Outcome.SETTLED
    assert publish.publish(Liquidation.objects.get().pk)
    assert publish.publish_loan_events()
    return loan_id


@pytest.fixture
def topped_up(past):
    """A loan that was called, and whose client posted enough to clear that. Its loanId."""
    loan_id = past.lend()
    past.price("35")
    past.post("20")
    assert Liquidation.objects.count() == 0
    return loan_id
