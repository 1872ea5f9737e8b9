"""Faults of what the markets publish: by the thousand, on both topics."""

import time
from decimal import Decimal
from itertools import cycle

from local.demo.simulators import MARKETS
from proofs.chaos.faults.fault import Fault
from proofs.chaos.faults.messaging import MESSAGING

MANY = 1000
PRICES = "prices"
FALSE_LOW, FALSE_HIGH = Decimal("0.5"), Decimal(5000)
"""In GC a unit."""

JUMPS_EVERY_SECONDS = 8


class QuoteFromTheFuture(Fault):
    """Each market prints an event of the year 9999: every later event looks old until it dies of age."""

    name = "quote-from-9999"
    what = "a quote from the year 9999 on both markets"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r"feed_outranked"

    def inject(self) -> None:
        """Publish."""
        self.target.forger.from_the_future()


class PricesDoubled(Fault):
    """The last event comes a thousand times."""

    name = "prices-doubled"
    what = f"each market's last price again, {MANY:,} times"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r""

    def inject(self) -> None:
        """Publish."""
        self.target.forger.doubled(MANY)


class PricesReordered(Fault):
    """Old events come again a thousand times, in any order."""

    name = "prices-reordered"
    what = f"{MANY:,} old prices of each market in any order"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r""

    def inject(self) -> None:
        """Publish."""
        self.target.forger.reordered(MANY)


class PricesMalformed(Fault):
    """A thousand bodies that nobody can read."""

    name = "prices-malformed"
    what = f"{MANY:,} unreadable bodies on each market's topic"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r"message_rejected"
    alerts = frozenset({"MessagesRejected"})

    def inject(self) -> None:
        """Publish."""
        self.target.forger.malformed(MANY)


class PricesPoisoned(Fault):
    """A thousand bodies that parse well enough to hurt somebody further in."""

    name = "prices-poisoned"
    what = f"{MANY:,} poisonous bodies on each market's topic"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r"message_rejected"
    alerts = frozenset({"MessagesRejected"})

    def inject(self) -> None:
        """Publish."""
        self.target.forger.poisonous(MANY)


class MarketsSilent(Fault):
    """Neither market publishes anything."""

    name = "markets-silent"
    what = "both markets publish nothing"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r""
    alerts_if_left = frozenset({"PriceOld", "NoPrice"})

    def inject(self) -> None:
        """Let them fall silent."""
        self.demo.simulators.set_markets({"paused": True})

    def heal(self) -> None:
        """Let them publish again."""
        self.demo.simulators.set_markets({"paused": False})


class MarketAstray(Fault):
    """One market publishes a price a hundred times too high, again and again."""

    name = "market-astray"
    what = f"one market publishes {FALSE_HIGH:,} every second"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r"market_suspect"
    alerts_if_left = frozenset({"PriceSuspect", "PriceDisputed"})

    def inject(self) -> None:
        """Let it lie for as long as it may."""
        self.demo.simulators.lie(MARKETS[0], FALSE_HIGH, 3600)

    def heal(self) -> None:
        """Let it tell the truth."""
        self.demo.simulators.lie(MARKETS[0], FALSE_HIGH, 0)


class MarketJumps(Fault):
    """One market publishes a wild price every few seconds, up and down in turns: no quote bears out the one before."""

    name = "market-jumps"
    what = "one market's rare quotes jump up and down"
    touches = frozenset({PRICES, MESSAGING})
    seen_as = r""
    alerts_if_left = frozenset({"PricePending"})

    def inject(self) -> None:
        """Let it fall silent, but for a jump."""
        self.demo.simulators.set_markets({"paused": True}, MARKETS[:1])
        self._wild = cycle((FALSE_LOW, FALSE_HIGH))
        self._jumps_at = 0.0
        self.go_on()

    def go_on(self) -> None:
        """Jump when it is time."""
        if time.monotonic() >= self._jumps_at:
            self._jumps_at = time.monotonic() + JUMPS_EVERY_SECONDS
            self.demo.simulators.lie(MARKETS[0], next(self._wild), 3600)
            self.demo.simulators.publish(MARKETS[0])

    def heal(self) -> None:
        """Let it publish the truth every second."""
        self.demo.simulators.lie(MARKETS[0], FALSE_LOW, 0)
        self.demo.simulators.set_markets({"paused": False}, MARKETS[:1])
