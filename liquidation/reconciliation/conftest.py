"""Markets that state what they have traded."""

from datetime import datetime, timedelta

import pytest

from coruscant import clock
from liquidation.reconciliation.compare import reconcile
from pricing.markets import Market

#: A trade is stated with the same instant each time.
_traded_at: dict[str, datetime] = {}

HEADER = "requestId,units,proceeds,time\n"


def lines_of(markets, market):
    """What the markets of the tests have traded at one of them: a line for each order."""
    ours = {str(order["requestId"]) for sent_to, order in markets.sent if sent_to == market}
    now = clock.now()
    return [
        f"{request_id},{units:f},{proceeds:f},{_traded_at.setdefault(request_id, now).isoformat()}\n"
        for request_id, (units, proceeds) in markets.traded.items()
        if request_id in ours
    ]


@pytest.fixture
def compare(markets):
    """Compare what a market has traded in the last hour, or other lines: `compare(Market.MOS_ESPA)`."""

    def run(market=Market.MOS_ESPA, lines=None, *, by="Leia", start=None, end=None):
        content = HEADER + "".join(lines_of(markets, market) if lines is None else lines)
        now = clock.now()
        start = start or now - timedelta(hours=1)
        return reconcile(market=market, content=content.encode(), by=by, start=start, end=end or now)

    return run
