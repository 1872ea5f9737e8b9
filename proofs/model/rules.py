"""The rules of the protocol, each of which can be left out; what they rest on; and how far the check goes."""

from dataclasses import dataclass, field, fields, replace
from typing import Any

#: So many clean refusals and nothing else prove that nothing was traded.
REFUSALS_BELIEVED = 3


def _stated(sentence: str) -> Any:
    return field(default=True, metadata={"sentence": sentence})


@dataclass(frozen=True, slots=True)
class Rules:
    """What the service does. With one of them False, the service does without that rule."""

    fence: bool = _stated("an answer is booked only by the worker that took the sale last")
    committed_first: bool = _stated("an order is committed before it is sent")
    sends_counted: bool = _stated("each send is counted before it leaves")
    every_send: bool = _stated("refusals prove nothing unless every send, the first included, was answered by one")
    three_refusals: bool = _stated("two refusals prove nothing yet, three do")
    doubt: bool = _stated("a refusal that raises a doubt is no refusal")
    duplicate: bool = _stated("'duplicate' for a later send is no refusal, and calls a person")
    never_sent: bool = _stated("a connection that did not open proves nothing of earlier sends")
    unknown_stays: bool = _stated("an order without a verdict is sent again, to its own market, and no other is placed")
    ids_name_market: bool = _stated("the id of an order names its market")
    ids_deterministic: bool = _stated("the id of an order can be computed from the loan, the market and a number")
    numbers_go_on: bool = _stated("a new order's number follows the highest one there, not how many there are")
    hold: bool = _stated("after a restore nothing is claimed or sent until the sale is released")
    answers_end: bool = _stated("an answer to what was sent before a restore decides nothing after it")
    doubted: bool = _stated("of an order that a restore may have set back, refusals prove nothing")
    doubted_later: bool = _stated("nor of the orders that its sale places after the restore")
    statements: bool = _stated("trades in the markets' statements are adopted before anything is sent")
    both_statements: bool = _stated("the statements of both markets are needed")
    statements_wait: bool = _stated("a statement counts only if nothing that was sent before can still arrive after it")
    adopting_fences: bool = _stated("whoever adopts a trade takes the sale from its worker")
    still_needed: bool = _stated(
        "an open order for more than is left to sell is not sent again: a person answers for it"
    )


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What the markets and people are trusted with. With one of them False, even all rules together fail."""

    refuses_twice: bool = _stated(
        "no order that traded, or will, had each request of it answered by a clean refusal, if they were three or more"
    )
    trades_once: bool = _stated("a market trades an id once")
    word_is_kept: bool = _stated("what a market tells a person that it has not traded, it never trades later")
    restore_noticed: bool = _stated("a restored database is noticed: its identity is another")


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far the check goes. `fold` merges states of which no later step depends on the difference.

    With all rules, an order is sent any number of times; `sends` and `takings` bound what is tried without a rule.
    """

    workers: int = 2
    sends: int = 4
    #: How often a sale is taken after the commit that a restore brings back, where fences are compared across it.
    takings: int = 6
    orders: int = 3
    need: int = 2
    collateral: int = 3
    #: Of each market, whether it remembers a refusal, or decides anew each time.
    remembers: tuple[bool, bool] = (False, False)
    restore: bool = True
    release: bool = True
    fold: bool = True


ALL_RULES, ALL_ASSUMPTIONS, WHOLE = Rules(), Assumptions(), Bounds()


def sentences(kind: type[Rules] | type[Assumptions]) -> dict[str, str]:
    """Each rule, or assumption, by its name."""
    return {found.name: found.metadata["sentence"] for found in fields(kind)}


def without(name: str) -> tuple[Rules, Assumptions]:
    """Everything but one rule or assumption. Raises KeyError if there is none of this name."""
    if name in sentences(Rules):
        return replace(ALL_RULES, **{name: False}), ALL_ASSUMPTIONS
    if name in sentences(Assumptions):
        return ALL_RULES, replace(ALL_ASSUMPTIONS, **{name: False})
    raise KeyError(name)


@dataclass(frozen=True, slots=True)
class Model:
    """A protocol, the world it is in, and how much of it is looked at."""

    rules: Rules = ALL_RULES
    assumptions: Assumptions = ALL_ASSUMPTIONS
    bounds: Bounds = WHOLE
