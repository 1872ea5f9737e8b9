"""Which faults are played in which order: a pure function of seed and time. One at a time first, then in pairs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

USUAL_RECOVERY_SECONDS = 6.0
"""What a round takes beyond its faults, for planning; it goes on when all has recovered, sooner or later."""

ALONE_SHARE = 0.6
"""The share of the time for faults one at a time at most; the rest is for pairs."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What the plan has to know of a fault: how long it lasts, what it touches, whether it changes the whole bank."""

    name: str
    lasts_seconds: float
    touches: frozenset[str]
    changes_the_bank: bool = False


Round = tuple[str, ...]


def make_plan(kinds: Sequence[Kind], seconds: float, seed: int) -> list[Round]:
    """Rounds of one fault, then rounds of two that touch nothing in common, for about so many seconds.

    At least one round is planned. Faults there was no time for alone come first in the pairs; after that, any pair. In
    the end, beyond these seconds, each fault that changes the whole bank comes once, in the order of `kinds`.
    """
    usual = [kind for kind in kinds if not kind.changes_the_bank]
    return _usual(usual, seconds, seed) + [(kind.name,) for kind in kinds if kind.changes_the_bank]


def _usual(kinds: Sequence[Kind], seconds: float, seed: int) -> list[Round]:
    by_name = {kind.name: kind for kind in kinds}
    order = sorted(by_name)
    Random(f"{seed}/plan").shuffle(order)
    plan: list[Round] = []
    complete = False
    for number in range(1, len(order) + 1):
        alone: list[Round] = [(name,) for name in order[:number]]
        if number > 1 and total(alone, by_name) > seconds * ALONE_SHARE:
            break
        pairs, all_played = _pairs(by_name, order[number:], seconds - total(alone, by_name), Random(f"{seed}/pairs"))
        if all_played or not (plan and complete):
            plan, complete = alone + pairs, all_played
    return plan


def total(rounds: Sequence[Round], kinds: Mapping[str, Kind]) -> float:
    """The seconds that rounds are expected to take; the faults of one overlap."""
    return sum(max(kinds[name].lasts_seconds for name in played) + USUAL_RECOVERY_SECONDS for played in rounds)


def _pairs(
    kinds: Mapping[str, Kind], unplayed: Sequence[str], seconds: float, random: Random
) -> tuple[list[Round], bool]:
    """Pairs for so many seconds, the unplayed first; and whether those are all played then."""
    pairs: list[Round] = []
    waiting = list(unplayed)
    while True:
        first = waiting[0] if waiting else random.choice(sorted(kinds))
        partners = [name for name in sorted(kinds) if not kinds[name].touches & kinds[first].touches]
        preferred = [name for name in partners if name in waiting] or partners
        pair: Round = (first, random.choice(preferred)) if preferred else (first,)
        if total([*pairs, pair], kinds) > seconds or (len(pair) == 1 and first not in waiting):
            return pairs, not waiting
        waiting = [name for name in waiting if name not in pair]
        pairs.append(pair)
