"""Faults of the markets' order endpoints; their prices go on."""

import time
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from itertools import cycle
from typing import ClassVar

from local.demo.simulators import MARKETS
from local.simulators.market.faults import LYING_KINDS
from proofs.chaos import books
from proofs.chaos.faults.fault import Fault
from proofs.chaos.faults.prices import PRICES

ORDERS = "orders"
USUAL_SHARE = "0.3"
LONGER_THAN_EVERY_BACK_OFF_SECONDS = 20
LYING_SHARE = 0.72
"""Of one market's answers; each kind of lie has the same."""

PUBLISHED_HIGH, HIGH_SECONDS = Decimal(50), 20
PUBLISHED_LOW, LOW_SECONDS = Decimal(31), 12
PAID = Decimal(18)
"""In GC a unit. Loans that are made at the high price are liquidated at the low one."""

_PLACED = "SELECT count(*) FROM liquidation_tradeorder WHERE market = ANY(%s) AND created_at >= %s"


class _OrdersFail(Fault):
    """Orders fail in some markets; all of them unless `inject` chooses. So many orders are `enough` to meet it."""

    markets: Sequence[str] = MARKETS
    enough: ClassVar[int] = 1

    def met(self, since: datetime) -> bool:
        """Whether enough orders were placed there."""
        ((placed,),) = books.rows(_PLACED, [list(self.markets), since])
        return int(placed) >= self.enough


class MarketsFail(_OrdersFail):
    """Most orders fail, in every way there is."""

    name = "markets-fail"
    what = "60 % of all orders fail"
    touches = frozenset({ORDERS})
    seen_as = r'"verdict": "unknown"'
    lasts_seconds = 10
    enough = 10  # two of five still succeed, and some that fail are refused

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
    alerts_if_left = frozenset({"OrderUnresolved"})
    stays_until_people_act = frozenset({"OrderUnresolved", "SaleUnsettled"})

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


class MarketsDownForLong(MarketsDown):
    """Both markets drop every order, until the sales of one crash have been unsettled for a quarter of an hour."""

    name = "markets-down-for-long"
    what = "both markets' order APIs down through a crash, for a quarter of an hour"
    alerts_if_left = frozenset({"MarketFails", "OrderUnknown", "SaleUnsettled"})
    alarmed_within_seconds = 20 * 60.0

    def inject(self) -> None:
        """Let prices fall once, and take both down."""
        self.target.price_cycle.rests = True
        super().inject()
        self.demo.simulators.crash(1)

    def heal(self) -> None:
        """Take both up."""
        super().heal()
        self.demo.simulators.recover(1)
        self.target.price_cycle.rests = False


class MarketsPayLess(_OrdersFail):
    """Both markets trade at less than two thirds of the lowest price that they publish.

    They publish a high price, at which loans are made, and a low one, at which those are liquidated, in turns; neither
    is a jump from the other downwards.
    """

    name = "markets-pay-less"
    what = "both markets pay much less than they quote"
    touches = frozenset({ORDERS, PRICES})
    seen_as = r'"verdict": "filled"'
    alerts_if_left = frozenset({"Slippage"})
    #: The fills of the five minutes before count as well.
    alarmed_within_seconds = 480.0

    def inject(self) -> None:
        """Let prices fall far below what is published."""
        self.target.price_cycle.rests = True
        self._turns = cycle(((PUBLISHED_HIGH, HIGH_SECONDS), (PUBLISHED_LOW, LOW_SECONDS)))
        self._turns_at = 0.0
        self.go_on()
        self.demo.simulators.set_markets({"move": {"to": str(PAID), "over": "0"}})

    def go_on(self) -> None:
        """Publish the other price when its time has come."""
        if time.monotonic() >= self._turns_at:
            price, seconds = next(self._turns)
            self._turns_at = time.monotonic() + seconds
            for market in MARKETS:
                self.demo.simulators.lie(market, price, 2 * seconds)

    def heal(self) -> None:
        """Publish what is paid, and let that rise."""
        for market in MARKETS:
            self.demo.simulators.lie(market, PUBLISHED_HIGH, 0)
        self.demo.simulators.recover(1)
        self.target.price_cycle.rests = False
