"""What a market's answer proves about an order. Pure.

An unknown order taken for a refused one is sold twice. So an answer counts as proof only if an earlier, lost answer
cannot explain it, and a refusal only if the market repeats it (docs/decisions/0005).
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import assert_never

#: A refusal is believed when so many sends of the order were answered by one, and none by anything else.
REFUSALS_BELIEVED = 3

_DUPLICATE = re.compile(
    r"duplicate|conflict|seen before|re-?used"
    r"|already (been |was )?(used|known|seen|received|processed|traded|executed|filled)",
    re.IGNORECASE,
)
# Words of a refusal after which the order may have traded, or may trade yet. No such list is complete, so a refusal
# without any of them is asked for again before it is believed. A word too many costs a person's time, never units.
_DOUBT = re.compile(
    r"time|deadline|too long|expired|cancell?ed|abort|interrupt|gateway|upstream|proxy|backend|unreachable|connect"
    r"|network|reset|lost|internal|exception|error|unexpected|crash|fault|panic|fail|hang up|\beof\b|http|null"
    r"|un(?:known|clear|certain|sure|confirmed|determined|resolved|available)|indetermina|ambiguous|not sure"
    r"|can ?not (?:be )?(?:say|tell|confirm|determin|verif)|could not (?:be )?(?:confirm|determin|verif)|may\b|might"
    r"|maybe|possibl|perhaps|await|pending|progress|processing|in flight|queue|accepted|received|submi|working|later"
    r"|again|retry|review|on hold|defer|acknowledg|no (?:answer|response|reply)|busy|overload|throttl|rate limit"
    r"|too many|exist|duplicate|conflict|already|before|re-?used|replay|idempoten|known|processed|regist|placed|rout"
    r"|execut|fill|complet|done\b|traded|sold|match|settled|succe|partial|order id|trade id",
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

    @property
    def of_nothing(self) -> bool:
        """Whether the market says that it traded 0 units for 0 GC: a refusal in other words."""
        return self.echo_fits and self.units == 0 and self.proceeds == 0


@dataclass(frozen=True, slots=True)
class Refused:
    """A refusal, with the market's reason. `doubt` is why its form is not that of a plain one; empty if it is."""

    reason: str
    doubt: str = ""

    @property
    def calls_it_a_duplicate(self) -> bool:
        """Whether the market refuses because it knows the request already, so that it may have traded it."""
        return _DUPLICATE.search(self.reason) is not None

    @property
    def is_clean(self) -> bool:
        """Whether neither its form nor its wording raises a doubt that nothing was traded."""
        return not self.doubt and _DOUBT.search(self.reason) is None


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


class AnswerKind(StrEnum):
    """How an answer is called where it is kept; one that is Unclear goes by its own kind."""

    SUCCESS = "success"
    NOTHING_TRADED = "nothing traded"
    REFUSAL = "refusal"
    DOUBTFUL_REFUSAL = "doubtful refusal"
    NEVER_SENT = "never sent"


#: Answers after which nothing speaks for a trade.
CLEAN_REFUSALS = (AnswerKind.REFUSAL, AnswerKind.NOTHING_TRADED)


class Verdict(StrEnum):
    """What is to be booked."""

    FILLED = "filled"
    REFUSED = "refused"
    ASK_AGAIN = "refused so far"
    UNKNOWN = "unknown"
    UNRESOLVED = "unresolved"


@dataclass(frozen=True, slots=True)
class Fill:
    """A success that can be true: what is booked. Units, and GC in total."""

    venue_order_id: str
    units: Decimal
    proceeds: Decimal


@dataclass(frozen=True, slots=True)
class Earlier:
    """The sends of an order before the one that an answer belongs to.

    `refused` of them were answered by a clean refusal and `never_sent` provably never left. The others may have traded.
    """

    sends: int = 0
    refused: int = 0
    never_sent: int = 0

    @property
    def may_have_traded(self) -> bool:
        """Whether a send was lost, or answered by anything but a clean refusal."""
        return self.sends > self.refused + self.never_sent


def kind(answer: Answer) -> str:
    """What kind of answer it is, in a few words."""
    match answer:
        case Traded():
            return AnswerKind.NOTHING_TRADED if answer.of_nothing else AnswerKind.SUCCESS
        case Refused():
            return AnswerKind.REFUSAL if answer.is_clean else AnswerKind.DOUBTFUL_REFUSAL
        case NeverSent():
            return AnswerKind.NEVER_SENT
        case Unclear():
            return answer.kind
    assert_never(answer)


def text(answer: Answer) -> str:
    """What the market said, for a person."""
    match answer:
        case Traded():
            return answer.figures
        case Refused():
            return f"{answer.reason} ({answer.doubt})" if answer.doubt else answer.reason
        case NeverSent() | Unclear():
            return answer.detail
    assert_never(answer)


def fill(answer: Answer, *, ordered: Decimal) -> Fill | None:
    """The trade that an answer proves: same ids and sides, 0 < traded ≤ ordered, proceeds > 0; else None."""
    if not isinstance(answer, Traded) or not answer.echo_fits or not answer.venue_order_id:
        return None
    if answer.units is None or answer.proceeds is None:
        return None
    if not 0 < answer.units <= ordered or answer.proceeds <= 0:
        return None
    return Fill(answer.venue_order_id, answer.units, answer.proceeds)


def verdict(answer: Answer, *, ordered: Decimal, earlier: Earlier, seen_before: bool) -> Verdict:
    """What an answer proves about an order of `ordered` units.

    `seen_before`: an earlier send of the order was answered by a success with the same figures, which did not fit.
    """
    match answer:
        case Traded(of_nothing=True) | Refused(is_clean=True):
            return _refused(earlier)
        case Traded():
            if fill(answer, ordered=ordered) is not None:
                return Verdict.FILLED
            return Verdict.UNRESOLVED if seen_before else Verdict.UNKNOWN
        case Refused(calls_it_a_duplicate=True):
            return Verdict.UNRESOLVED if earlier.sends > earlier.never_sent else Verdict.UNKNOWN
        case NeverSent():
            return Verdict.UNKNOWN if earlier.sends > earlier.never_sent else Verdict.REFUSED
        case _:
            return Verdict.UNKNOWN


def _refused(earlier: Earlier) -> Verdict:
    if earlier.may_have_traded:
        return Verdict.UNKNOWN
    return Verdict.REFUSED if earlier.refused + 1 >= REFUSALS_BELIEVED else Verdict.ASK_AGAIN
