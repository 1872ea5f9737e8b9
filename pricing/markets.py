"""The markets the bank hears prices from and sends orders to."""

from enum import StrEnum


class Market(StrEnum):
    """A market's name as it is stored and shown."""

    MOS_ESPA = "mos_espa"
    BLACK_SPIRE_OUTPOST = "black_spire_outpost"

    @property
    def label(self) -> str:
        """The name for a person."""
        return _LABELS[self]

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Pairs for a Django field."""
        return [(market.value, market.label) for market in cls]


_LABELS = {
    Market.MOS_ESPA: "Mos Espa, Tatooine",
    Market.BLACK_SPIRE_OUTPOST: "Black Spire Outpost, Batuu",
}
