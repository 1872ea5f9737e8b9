"""A loan in every state, made by the real services, so that every part of every answer is seen."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal

from django.conf import settings

from coruscant import clock
from liquidation.claim import claim_loans
from liquidation.models import Liquidation
from liquidation.sell import Outcome, sell
from loans import applications, margin_calls, postings
from loans.models import Loan
from local.simulators.testing import running_market
from pricing import best_price
from pricing.feeds import FEEDS
from pricing.ingest import poll
from pricing.ingest.record import record_batch
from pricing.markets import Market
from proofs.fuzzing.service import CLIENT, LONG_SECONDS

#: Units held against 1000 GC: covered at 61 GC a unit, but for the first; at 37, 38 units are warned and 33 claimed.
#: That fall is no jump, which a second quote would have to confirm.
_LOANS = {"new": "1", "active": "100", "warned": "38", "liquidating": "33", "liquidated": "33"}


def prepare() -> None:
    """Make the loans, the newest price 50 GC a unit. Raises RuntimeError when one is not as it should be."""
    with _long_lived_prices(), running_market("mos_espa", price="37") as market:
        settings.MARKET_URLS = {Market.MOS_ESPA: market.url}
        _price("61")
        for state, units in _LOANS.items():
            _lend(f"loan-{state}", units)
        _price("37")
        margin_calls.call_loans(best_price.refresh())
        point = best_price.refresh()
        claim_loans([Loan.objects.get(loan_id=f"loan-{state}").pk for state in ("liquidating", "liquidated")], point)
        outcome = sell(Liquidation.objects.get(loan__loan_id="loan-liquidated").pk)
        _price("50")
    if outcome is not Outcome.SETTLED:
        raise RuntimeError(f"the example loans' sale ended as {outcome}")
    found = dict(Loan.objects.values_list("loan_id", "status"))
    called = Loan.objects.filter(margin_calls__closed_at__isnull=True, margin_calls__isnull=False)
    if found["loan-warned"] != "active" or not called.filter(loan_id="loan-warned").exists():
        raise RuntimeError("the example loans' margin call was not made")
    if found["loan-new"] != "new" or found["loan-liquidating"] != "liquidating":
        raise RuntimeError(f"the example loans' loans are {found}")


def _lend(loan_id: str, units: str) -> None:
    sent = {"client": CLIENT, "request_id": f"example_loans-{loan_id}", "loan_id": loan_id, "borrower_id": "borrower"}
    applications.apply_for_loan(**sent, amount=Decimal(1000))
    postings.post_collateral(**sent, amount=Decimal(units))


def _price(price: str) -> None:
    """Record a price of Mos Espa as if its queue had just handed it out."""
    now = clock.now()
    levels = [{"quantity": quantity, "buy": price, "sell": price} for quantity in (1, 10, 50, 100)]
    event = {"eventId": f"example_loans-{price}", "asset": "BESKAR", "currency": "GC", "timestamp": now.isoformat()}
    message = {
        "MessageId": f"example_loans-{price}",
        "Body": json.dumps(event | {"levels": levels}),
        "Attributes": {"SentTimestamp": str(int(now.timestamp() * 1000))},
    }
    record_batch(FEEDS[Market.MOS_ESPA], [message], now, now)
    poll.announce(quotes=True)


@contextmanager
def _long_lived_prices() -> Iterator[None]:
    """The web process's settings in this process too, for as long as the example loans are made."""
    names = ("PRICE_MAX_AGE_SECONDS", "FEED_MAX_LAG_SECONDS", "MARKET_URLS")
    before = {name: getattr(settings, name) for name in names}
    settings.PRICE_MAX_AGE_SECONDS = settings.FEED_MAX_LAG_SECONDS = int(LONG_SECONDS)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(settings, name, value)
