"""While the price falls, one market lies and people pause claims: what happens when, and the checks of what came of it.

Claims are paused as the fall begins. When it is half over, a market publishes a false price; the service holds that
back, calls it disputed, and goes on by the other market's. The pause ends while it still lies, and claims go on.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from local.demo.people import People
from local.demo.said import Said
from local.demo.simulators import Simulators
from local.demo.verdict import Check, named

LIAR, FALSE_PRICE, LIE_SECONDS = "mos_espa", Decimal(5000), 10
LIE_AFTER = 0.6  # of the fall
RESUME_AFTER_SECONDS = 3.5  # of the lie: two quotes and a while
#: A pause that ended so long before the lie leaves time for claims while the market lies.
TIME_TO_CLAIM = timedelta(seconds=3)
#: A second quote, and its evaluation.
TIME_TO_SAY = timedelta(seconds=2)
ENOUGH_LOOKS = 3


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is done so many seconds after the fall began, and a sentence about it."""

    after: float
    note: str
    act: Callable[[], None]


def steps(simulators: Simulators, people: People, fall_seconds: float) -> Iterator[Step]:
    """What happens in a fall that takes so many seconds, in order."""
    lie_at = LIE_AFTER * fall_seconds
    yield Step(0, "claims are paused", lambda: people.pause_claims("Prices fall fast: we look at them first."))
    yield Step(0, "the price falls by half", lambda: simulators.crash(fall_seconds))
    yield Step(
        lie_at,
        f"Mos Espa publishes a false {FALSE_PRICE:,} for {LIE_SECONDS} seconds",
        lambda: simulators.lie(LIAR, FALSE_PRICE, LIE_SECONDS),
    )
    yield Step(
        lie_at + RESUME_AFTER_SECONDS,
        "two people end the pause of claims",
        lambda: people.resume_claims("The false price is held back: the other market's is right."),
    )


def check_said(seen: Sequence[tuple[datetime, Said]], lie: Mapping[str, Any]) -> Check:
    """The service called the prices disputed and the liar suspect while it lied, if it was asked, and no longer does.

    `seen` is what it said, and when. A machine with much else to do may hardly come to asking.
    """
    told = lie["quotes"] > 1
    looks = [said for at, said in seen if told and lie["began"] + TIME_TO_SAY <= at <= lie["ended"]]
    disputed = sum(said.disputed and LIAR in said.suspect for said in looks)
    last = seen[-1][1] if seen else Said(disputed=True)
    doubts = last.disputed or bool(last.suspect)
    return Check(
        (disputed > 0 or len(looks) < ENOUGH_LOOKS) and not doubts,
        f"prices called disputed and Mos Espa suspect in {disputed} of {len(looks)} looks while it lied,"
        f" {'and still' if doubts else 'and not at the end'}",
    )


def check_lie(lie: Mapping[str, Any], pauses: Sequence[Mapping[str, Any]]) -> list[Check]:
    """A false price was published, held back, and decided nothing, and claims went on by the true one.

    None is asked for where a pause held nearly until the lie was over.
    """
    told = lie["quotes"] > 1
    seconds = (lie["ended"] - lie["began"]).total_seconds() if told else 0
    time_to_claim = told and all(pause["until"] + TIME_TO_CLAIM <= lie["ended"] for pause in pauses)
    return [
        Check(
            told and lie["held"] > 0,
            f"{lie['quotes']} quotes of a false {FALSE_PRICE:,} in {seconds:.0f} s, {lie['held']} held as jumps",
        ),
        Check(
            lie["activated_by_it"] == 0 and lie["cleared_by_it"] == 0,
            f"{lie['activated_by_it']} loans activated and {lie['cleared_by_it']} margin calls cleared by it;"
            f" {lie['activated']} and {lie['cleared']} by the true price meanwhile",
        ),
        Check(
            lie["claimed_by_it"] == 0 and (lie["claimed"] > 0 or not time_to_claim),
            f"{lie['claimed_by_it']} loans claimed by it; {lie['claimed']} by the true price meanwhile",
        ),
    ]


def check_pauses(pauses: Sequence[Mapping[str, Any]]) -> Check:
    """Claims were paused, nobody was claimed then, and claims went on afterwards."""
    over = bool(pauses) and all(pause["over"] for pause in pauses)
    in_it = sum(pause["claimed_in_it"] for pause in pauses)
    after = min((pause["claimed_after"] for pause in pauses), default=0)
    seconds = sum((pause["until"] - pause["began_at"]).total_seconds() for pause in pauses)
    spared = [loan_id for pause in pauses for loan_id in pause["spared"]]
    return Check(
        over and in_it == 0 and after > 0,
        f"{in_it} loans claimed in a pause of {seconds:.1f} s{'' if over else ' that is not over'}, {after} after it;"
        f" {len(spared)} spared in it{named(spared)}",
    )
