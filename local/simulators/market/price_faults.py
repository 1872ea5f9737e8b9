"""What can happen to a price event on its way: it comes twice, out of order, or unreadable. Pure."""

from decimal import Decimal
from random import Random

_GARBAGE = ("null", '{"levels":', "[]", '{"asset": "BESKAR"}', "the price of Beskar is high")


def deliveries(body: str, before: str | None, share: Decimal, random: Random) -> list[str]:
    """Return the bodies to publish, in order: usually `body` alone.

    In a `share` of cases `body` follows again, or the event before it, or something unreadable.
    """
    if Decimal(random.random()) >= share:
        return [body]
    extras = [body, *([before] if before is not None else []), random.choice(_GARBAGE)]
    return [body, random.choice(extras)]
