"""What can happen to a price event on its way: twice, out of order, unreadable. Pure."""

from decimal import Decimal
from random import Random

_GARBAGE = ("null", '{"levels":', "[]", '{"asset": "BESKAR"}', "the price of Beskar is high")


def deliveries(body: str, before: str | None, share: Decimal, dice: Random) -> list[str]:
    """The bodies to publish, in order, where all should be `body` alone.

    By chance of `share` it comes twice, or the event before it comes again after it, or garbage does.
    """
    if Decimal(dice.random()) >= share:
        return [body]
    extras = [body, *([before] if before is not None else []), dice.choice(_GARBAGE)]
    return [body, dice.choice(extras)]
