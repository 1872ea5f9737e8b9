"""Faults of the markets' order endpoints; their prices go on."""

from collections.abc import Sequence
from datetime import datetime

from local.demo.simulators import MARKETS
from local.simulators.market.faults import LYING_KINDS
from proofs.chaos import books
from proofs.chaos.faults.fault import Fault

ORDERS = "orders"
USUAL_SHARE = "0.3"
LONGER_THAN_EVERY_BACK_OFF_SECONDS = 20
LYING_SHARE = 0.72
"""Of one market's answers; each kind of lie has the same."""

_SENT = "SELECT EXISTS (SELECT FROM liquidation_tradeorder WHERE market = ANY(%s) AND created_at >= %s)"


class _OrdersFail(Fault):
    """Orders fail in some markets; all of them unless `inject` chooses."""

    markets: Sequence[str] = MARKETS

    def met(self, since: datetime) -> bool:
        """Whether an order was placed there."""
        ((sent,),) = books.rows(_SENT, [list(self.markets), since])
        return bool(sent)


class MarketsFail(_OrdersFail):
    """Most orders fail, in every way there is."""

    name = "markets-fail"
    what = "60 % of all orders fail"
    touches = frozenset({ORDERS})
    seen_as = r'"verdict": "unknown"'
    lasts_seconds = 10

    def inject(self) -> None:
        """Double the share of faults."""
        self.demo.simulators.set_markets({"faultShare": "0.6"})

    def heal(self) -> None:
        """Return to the usual share."""
        self.demo.simulators.set_markets({"faultShare": USUAL_SHARE})


class MarketLies(_OrdersFail):
    """One market says that it has not traded what it has, doubts, remembers, and confuses its figures.

    It goes on to remember what it refused until it is healed, as if somebody had called it.
    """

    name = "market-lies"
    what = "one market lies about most orders"
    touches = frozenset({ORDERS})
    seen_as = r'"verdict": "(unknown|refused so far)"'
    lasts_seconds = 12

    def inject(self) -> None:
        """Choose one, and let it lie in every way there is."""
        self.markets = [self.random.choice(MARKETS)]
        shares = {str(kind): f"{LYING_SHARE / len(LYING_KINDS):.4f}" for kind in LYING_KINDS}
        self.demo.simulators.set_markets({"faultShares": shares}, self.markets)

    def heal(self) -> None:
        """Return to the usual faults."""
        self.demo.simulators.set_markets({"faultShare": USUAL_SHARE, "forgetRefusals": True}, self.markets)


class MarketDown(_OrdersFail):
    """One market drops every order, for longer than every back-off."""

    name = "market-down"
    what = "one market's order API down for longer than every back-off"
    touches = frozenset({ORDERS})
    seen_as = r'"verdict": "unknown"'
    lasts_seconds = LONGER_THAN_EVERY_BACK_OFF_SECONDS

    def inject(self) -> None:
        """Choose one and take it down."""
        self.markets = [self.random.choice(MARKETS)]
        self.demo.simulators.set_markets({"down": True}, self.markets)

    def heal(self) -> None:
        """Take it up."""
        self.demo.simulators.set_markets({"down": False})


class MarketsDown(_OrdersFail):
    """Both markets drop every order, for longer than every back-off."""

    name = "markets-down"
    what = "both markets' order APIs down for longer than every back-off"
    touches = frozenset({ORDERS})
    seen_as = r'"verdict": "unknown"'
    lasts_seconds = LONGER_THAN_EVERY_BACK_OFF_SECONDS

    def inject(self) -> None:
        """Take both down."""
        self.demo.simulators.set_markets({"down": True})

    def heal(self) -> None:
        """Take both up."""
        self.demo.simulators.set_markets({"down": False})
