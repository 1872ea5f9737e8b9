"""What a market's answer proves about an order. Pure.

An unknown order taken for a refused one is sold twice. So an answer counts as proof only if an earlier, lost answer
cannot explain it.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum

_DUPLICATE = re.compile(
    r"duplicate|conflict|seen before|re-?used"
    r"|already (been |was )?(used|known|seen|received|processed|traded|executed|filled)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Traded:
    """A success: the market says it traded `units` for `proceeds` GC in total, under its own `venue_order_id`.

    A figure that cannot be one is None. `echo_fits` is whether everything the answer repeats (request id, side,
    asset, …) is what was sent. `figures` is the answer as one text, to recognise it when it comes again.
    """

    venue_order_id: str
    units: Decimal | None
    proceeds: Decimal | None
    echo_fits: bool
    figures: str


@dataclass(frozen=True, slots=True)
class Refused:
    """An explicit refusal, with the market's reason."""

    reason: str

    @property
    def calls_it_a_duplicate(self) -> bool:
        """Whether the market refuses because it knows the request already, so that it may have traded it."""
        return _DUPLICATE.search(self.reason) is not None


@dataclass(frozen=True, slots=True)
class NeverSent:
    """The connection provably never opened: not a byte of the request left."""

    detail: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """Anything that proves nothing: 5xx, time-out, reset, unreadable body, unexpected status. `kind` names which."""

    kind: str
    detail: str


Answer = Traded | Refused | NeverSent | Unclear


class Verdict(StrEnum):
    """What is to be booked."""

    FILLED = "filled"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Fill:
    """A success that can be true: what is booked. Units, and GC in total."""

    venue_order_id: str
    units: Decimal
    proceeds: Decimal


def fill(answer: Answer, *, ordered: Decimal) -> Fill | None:
    """The trade that an answer proves: same ids and sides, 0 < traded ≤ ordered, proceeds > 0; else None."""
    if not isinstance(answer, Traded) or not answer.echo_fits or not answer.venue_order_id:
        return None
    if answer.units is None or answer.proceeds is None:
        return None
    if not 0 < answer.units <= ordered or answer.proceeds <= 0:
        return None
    return Fill(answer.venue_order_id, answer.units, answer.proceeds)


def verdict(answer: Answer, *, ordered: Decimal, first_send: bool, known_mismatch: str) -> Verdict:
    """What an answer proves about an order of `ordered` units.

    `first_send`: this answers the first and so far only send of the request. `known_mismatch`: the figures of an
    earlier success that did not fit, or empty.
    """
    match answer:
        case Traded():
            if fill(answer, ordered=ordered) is not None:
                return Verdict.FILLED
            return Verdict.UNRESOLVED if answer.figures == known_mismatch else Verdict.UNKNOWN
        case Refused(calls_it_a_duplicate=True):
            return Verdict.UNKNOWN if first_send else Verdict.UNRESOLVED
        case Refused() | NeverSent():
            return Verdict.REFUSED if first_send else Verdict.UNKNOWN
        case Unclear():
            return Verdict.UNKNOWN
