"""The markets: each has a feed, from which the bank takes prices, and a venue, to which it sends orders.

A market's name is also that of its modules, `pricing/feeds/<name>.py` and `liquidation/venues/<name>.py`. The names of
its queue and its settings are made of it.
"""

from enum import StrEnum
from typing import Self


class Market(StrEnum):
    """A market: the name that is stored, and the label that is shown."""

    label: str

    MOS_ESPA = "mos_espa", "Mos Espa, Tatooine"
    BLACK_SPIRE_OUTPOST = "black_spire_outpost", "Black Spire Outpost, Batuu"

    def __new__(cls, name: str, label: str = "") -> Self:
        """A member; `Market(name)` finds it by its name."""
        member = str.__new__(cls, name)
        member._value_ = name
        member.label = label
        return member

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Pairs of stored names and labels, for a Django field."""
        return [(market.value, market.label) for market in cls]
