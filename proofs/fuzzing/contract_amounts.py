"""Which amounts the bank can store: a second opinion, which shares no code with the service."""

from decimal import Decimal


def can_be_stored(amount: str) -> bool:
    """Whether an amount has 20 integer digits and 24 decimals at most, and is not zero."""
    _sign, digits, exponent = Decimal(amount).as_tuple()
    written = "".join(map(str, digits))
    significant = written.strip("0")
    if not significant or not isinstance(exponent, int):
        return False
    exponent += len(written) - len(written.rstrip("0"))
    return len(significant) + exponent <= 20 and exponent >= -24
