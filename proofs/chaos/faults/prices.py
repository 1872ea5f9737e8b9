"""Faults of what the markets publish: by the thousand, on both topics."""

from proofs.chaos.faults.fault import Fault
from proofs.chaos.faults.messaging import MESSAGING

MANY = 1000
PRICES = "prices"


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
