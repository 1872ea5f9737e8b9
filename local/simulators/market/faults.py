"""The ways in which a market fails an order request, and how they are written. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from local.simulators.market.wordings import DOUBTFUL, PLAIN


class Kind(StrEnum):
    """A way in which a market fails an order request."""

    REFUSAL = "refusal"
    """An explicit refusal with 200. A resend of a traded order may be refused as well."""
    REFUSAL_4XX = "refusal_4xx"
    """The same refusal body with 422."""
    ERROR_429 = "error_429"
    """Too many requests: nothing is traded, and the body is not a refusal."""
    ERROR_500 = "error_500"
    ERROR_500_AFTER_TRADING = "error_500_after_trading"
    ERROR_503 = "error_503"
    SLOW = "slow"
    """Trades at once and answers late, perhaps after the caller's time-out."""
    SLOW_BEFORE_TRADING = "slow_before_trading"
    """Trades late and answers then: the caller may have gone, or sent the order again, before it trades."""
    DRIPPING = "dripping"
    """Trades and answers a few bytes at a time, so that a time-out per read never fires."""
    DROPPED_BEFORE_TRADING = "dropped_before_trading"
    DROPPED_AFTER_TRADING = "dropped_after_trading"
    BROKEN_JSON = "broken_json"
    """A 200 with half an answer; nothing is traded."""
    BROKEN_JSON_AFTER_TRADING = "broken_json_after_trading"
    MISMATCH = "mismatch"
    """Trades correctly and reports figures that do not fit the order."""
    REFUSAL_DOUBTFUL = "refusal_doubtful"
    """A refusal in words that admit a doubt; nothing is traded."""
    REFUSAL_DOUBTFUL_AFTER_TRADING = "refusal_doubtful_after_trading"
    """The same, and it traded."""
    REFUSAL_WITH_FIGURES = "refusal_with_figures"
    """Trades, and answers with a refusal that carries some of the trade's figures."""
    REFUSAL_ODD_STATUS = "refusal_odd_status"
    """Trades, and answers with a plain refusal under a status that does not fit one."""
    REFUSAL_AFTER_TRADING = "refusal_after_trading"
    """Trades, and answers with a plain refusal. Asked again, it shows the trade."""
    REFUSAL_REMEMBERED = "refusal_remembered"
    """Refuses and says the same whenever it is asked again. An order that it has traded is answered correctly."""
    TRADED_NOTHING = "traded_nothing"
    """A success of no units for no GC. An order that it has traded is answered correctly."""
    SUCCESS_WITH_EMPTY_ERROR = "success_with_empty_error"
    """Trades, and the correct answer also has an error or a reason that says nothing."""
    SUCCESS_WITH_UNKNOWN_FIELDS = "success_with_unknown_fields"
    """Trades, and the correct answer also has fields that the contract does not know."""
    PRICE_FOR_TOTAL = "price_for_total"
    """Trades, and confuses the price of a unit with the total; hardly wrong for about one unit, and right there."""
    ABSURD_PROCEEDS = "absurd_proceeds"
    """Trades, and reports a total that cannot be true; right where next to nothing was paid."""
    COOKIES = "cookies"
    """Trades and answers correctly, and sets ten large cookies."""


class Mismatch(StrEnum):
    """Which part of an answer does not fit the order."""

    MORE_THAN_ORDERED = "more_than_ordered"
    NOTHING_TRADED = "nothing_traded"
    NEGATIVE_PROCEEDS = "negative_proceeds"
    NO_PROCEEDS = "no_proceeds"
    NOT_A_NUMBER = "not_a_number"
    WRONG_TYPE = "wrong_type"
    OTHER_REQUEST = "other_request"
    OTHER_SIDE = "other_side"


class Figures(StrEnum):
    """Which part of a trade a refusal carries."""

    ORDER_ID = "order_id"
    UNITS = "units"
    PROCEEDS = "proceeds"
    WHOLE_RECEIPT = "whole_receipt"
    EXECUTIONS = "executions"
    """A list of executions, under a name that the contract does not know."""


class WrongTotal(StrEnum):
    """How the price of a unit and the total are confused."""

    UNIT_PRICE = "unit_price"
    MULTIPLIED_TWICE = "multiplied_twice"


class Absurd(StrEnum):
    """A total that cannot be true: 10^-8 GC, or 10^15 GC."""

    TINY = "tiny"
    HUGE = "huge"


class EmptyError(StrEnum):
    """A field of a refusal in a success, and what stands in it; each says nothing."""

    EMPTY_ERROR = "empty_error"
    NULL_ERROR = "null_error"
    FALSE_ERROR = "false_error"
    EMPTY_REASON = "empty_reason"
    NULL_REASON = "null_reason"
    FALSE_REASON = "false_reason"


STATUSES_OF_NO_REFUSAL = ("202", "300", "301", "302", "303", "307", "308", "408", "409", "425", "429")

VARIANTS: Mapping[Kind, tuple[str, ...]] = {
    Kind.MISMATCH: tuple(Mismatch),
    Kind.REFUSAL_WITH_FIGURES: tuple(Figures),
    Kind.REFUSAL_ODD_STATUS: STATUSES_OF_NO_REFUSAL,
    Kind.PRICE_FOR_TOTAL: tuple(WrongTotal),
    Kind.ABSURD_PROCEEDS: tuple(Absurd),
    Kind.SUCCESS_WITH_EMPTY_ERROR: tuple(EmptyError),
}
"""Kinds that come in variants."""

WORDINGS: Mapping[Kind, tuple[str, ...]] = {
    Kind.REFUSAL_DOUBTFUL: DOUBTFUL,
    Kind.REFUSAL_DOUBTFUL_AFTER_TRADING: DOUBTFUL,
    Kind.REFUSAL_AFTER_TRADING: PLAIN,
    Kind.REFUSAL_REMEMBERED: PLAIN,
}
"""Kinds whose words are drawn from these, or are any that a test asks for."""

SLOW_KINDS = frozenset({Kind.SLOW, Kind.SLOW_BEFORE_TRADING, Kind.DRIPPING})

LYING_KINDS = (
    Kind.REFUSAL_DOUBTFUL,
    Kind.REFUSAL_DOUBTFUL_AFTER_TRADING,
    Kind.REFUSAL_WITH_FIGURES,
    Kind.REFUSAL_ODD_STATUS,
    Kind.REFUSAL_AFTER_TRADING,
    Kind.REFUSAL_REMEMBERED,
    Kind.TRADED_NOTHING,
    Kind.SUCCESS_WITH_EMPTY_ERROR,
    Kind.SUCCESS_WITH_UNKNOWN_FIELDS,
    Kind.PRICE_FOR_TOTAL,
    Kind.ABSURD_PROCEEDS,
    Kind.COOKIES,
)
"""Answers that mislead, or say more than the contract has. They happen only where they are asked for."""

USUAL_KINDS = tuple(kind for kind in Kind if kind not in LYING_KINDS)
"""What a market does by itself."""

REFUSALS = frozenset(
    {
        Kind.REFUSAL,
        Kind.REFUSAL_4XX,
        Kind.REFUSAL_AFTER_TRADING,
        Kind.REFUSAL_DOUBTFUL,
        Kind.REFUSAL_DOUBTFUL_AFTER_TRADING,
        Kind.REFUSAL_REMEMBERED,
        Kind.TRADED_NOTHING,
    }
)
"""Answers that differ from an honest refusal in their words at most."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: its kind, seconds for the slow kinds, and the variant or the words of the kinds that have them."""

    kind: Kind
    seconds: float | None = None
    variant: str | None = None

    @classmethod
    def parse(cls, text: str | None) -> "Fault | None":
        """Read `kind`, `kind:seconds`, `kind:variant` or `kind:words`; None and `none` mean a correct answer.

        Raises ValueError for anything else.
        """
        if text is None or text == "none":
            return None
        name, _, detail = text.partition(":")
        kind = Kind(name)
        if not detail:
            return cls(kind)
        if kind in WORDINGS or detail in VARIANTS.get(kind, ()):
            return cls(kind, variant=detail)
        if kind in SLOW_KINDS and 0 <= float(detail) <= 3600:
            return cls(kind, seconds=float(detail))
        raise ValueError(f"{kind} takes no {detail!r}")
