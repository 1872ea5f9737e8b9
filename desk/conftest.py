"""The prices, loans and markets of liquidation's tests, for the desk's; and loans with a past."""

from desk.evidence.tests.conftest import past, sold, topped_up  # noqa: F401
from liquidation.conftest import claimed, enqueued, loan, markets, quote, time_passes, two_agree  # noqa: F401
from liquidation.reconciliation.conftest import compare  # noqa: F401
from liquidation.tests.conftest import sns  # noqa: F401
