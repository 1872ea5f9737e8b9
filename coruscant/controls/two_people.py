"""Pulling, extending and ending controls as acts of two people.

Importing it registers the actions; the admin does (docs/decisions/0024). Setting prices aside has an action of its own,
since it may claim loans: `liquidation/controls/set_aside.py`.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

from django.contrib.auth.models import User

from coruscant import clock
from coruscant.approvals.actions import Action, Execute, register
from coruscant.approvals.arguments import Arguments, ArgumentsDoNotFit, read, whole, words
from coruscant.approvals.people import both
from coruscant.controls import pull as controls
from coruscant.controls.models import Control, ControlKind

PULL: Final = "controls.pull"
EXTEND: Final = "controls.extend"
END: Final = "controls.end"
MAY_PULL: Final = "controls.add_control"
MAY_END: Final = "controls.change_control"

_DOES: Final = {
    ControlKind.PAUSE_CLAIMS: "No price claims a loan while it holds, and none that ended by then claims one later."
    " Sales under way, margin calls and prices go on.",
    ControlKind.PAUSE_ACTIVATIONS: "No loan becomes active while it holds. Postings are booked, and loans that are"
    " covered by then become active afterwards, by the price of that time.",
    ControlKind.NO_NEW_ORDERS: "The market gets no new orders while it holds. Orders that are open stay, and are sent"
    " again.",
    ControlKind.SET_ASIDE: "The market's prices do not count while it holds.",
}


def does(kind: str) -> str:
    """What a control does, in words."""
    return _DOES[ControlKind(kind)]


def in_words(minutes: int) -> str:
    """How long a control lasts."""
    return "1 minute" if minutes == 1 else f"{minutes} minutes"


def either(value: object) -> str:
    """A reader of text that may be empty."""
    if isinstance(value, str):
        return value
    raise ValueError("must be a text")


def _pulled(arguments: Arguments) -> dict[str, Any]:
    sent = read(arguments, kind=either, market=either, minutes=whole, why=words)
    if sent["kind"] == ControlKind.SET_ASIDE:
        raise ArgumentsDoNotFit("Setting prices aside may claim loans, and has an action of its own.")
    return sent


def _effect_pull(arguments: Arguments) -> str:
    sent = _pulled(arguments)
    kind, minutes = sent["kind"], sent["minutes"]
    controls.check(kind, sent["market"], timedelta(minutes=minutes), clock.now())
    what = ControlKind(kind).label + (f" ({sent['market']})" if sent["market"] else "")
    return f"{what}, for {in_words(minutes)} from the agreement on. {does(kind)} It is pulled because: {sent['why']}"


def _pull(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    sent = _pulled(arguments)
    made = controls.pull(
        sent["kind"], market=sent["market"], lasts=timedelta(minutes=sent["minutes"]), why=sent["why"],
        by=both(asked_by, agreed_by), by_id=asked_by.pk, two_people=True,
    )  # fmt: skip
    return f"{made} holds until {made.until:%Y-%m-%d %H:%M:%S} UTC."


def _extended(arguments: Arguments) -> tuple[Control, int]:
    sent = read(arguments, control_id=whole, minutes=whole)
    return controls.holding(sent["control_id"], clock.now()), sent["minutes"]


def _effect_extend(arguments: Arguments) -> str:
    control, minutes = _extended(arguments)
    return (
        f"{control}, which was pulled at {control.began_at:%Y-%m-%d %H:%M:%S} UTC by {control.pulled_by} because:"
        f" {control.why} It ends {in_words(minutes)} after the agreement, not at {control.until:%H:%M:%S} UTC."
        f" {does(control.kind)}"
    )


def _extend(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    control, minutes = _extended(arguments)
    lasts = timedelta(minutes=minutes)
    made = controls.extend(control.pk, lasts=lasts, by=both(asked_by, agreed_by), by_id=agreed_by.pk, two_people=True)
    return f"{made} holds until {made.until:%Y-%m-%d %H:%M:%S} UTC."


def _ended(arguments: Arguments) -> Control:
    return controls.holding(read(arguments, control_id=whole)["control_id"], clock.now())


def _effect_end(arguments: Arguments) -> str:
    control = _ended(arguments)
    after = {
        ControlKind.PAUSE_CLAIMS: "Prices claim loans again, the present one at once.",
        ControlKind.PAUSE_ACTIVATIONS: "Loans become active again, by the present price at once.",
        ControlKind.NO_NEW_ORDERS: "The market gets new orders again.",
        ControlKind.SET_ASIDE: "The market's prices count again.",
    }
    return (
        f"{control}, which was pulled at {control.began_at:%Y-%m-%d %H:%M:%S} UTC by {control.pulled_by} because:"
        f" {control.why} It ends with the agreement, not at {control.until:%Y-%m-%d %H:%M:%S} UTC."
        f" {after[ControlKind(control.kind)]}"
    )


def _end(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    made = controls.end(_ended(arguments).pk, by=both(asked_by, agreed_by), by_id=agreed_by.pk, two_people=True)
    return f"{made} has ended."


def lock(_arguments: Arguments) -> None:
    """As `pull` does, before the effect is looked at again."""
    controls.lock_boundary()


_ACTIONS: tuple[tuple[str, str, str, Callable[[Arguments], str], Execute], ...] = (
    (PULL, "Pull a control", MAY_PULL, _effect_pull, _pull),
    (EXTEND, "Extend a control", MAY_END, _effect_extend, _extend),
    (END, "End a control early", MAY_END, _effect_end, _end),
)
for _name, _title, _permission, _effect, _execute in _ACTIONS:
    register(Action(name=_name, title=_title, permission=_permission, lock=lock, effect=_effect, execute=_execute))
