"""The markets: each has a feed, from which the bank takes prices, and a venue, to which it sends orders."""

from enum import StrEnum


class Market(StrEnum):
    """A market, by the name that is stored."""

    MOS_ESPA = "mos_espa"
    BLACK_SPIRE_OUTPOST = "black_spire_outpost"

    @property
    def label(self) -> str:
        """The name that is shown."""
        return _LABELS[self]

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Pairs of stored and shown names, for a Django field."""
        return [(market.value, market.label) for market in cls]


_LABELS = {
    Market.MOS_ESPA: "Mos Espa, Tatooine",
    Market.BLACK_SPIRE_OUTPOST: "Black Spire Outpost, Batuu",
}
