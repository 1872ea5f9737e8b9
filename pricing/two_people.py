"""Changing the guard as an act of two people: what both are shown, and what is done when they agree.

Importing it registers the action; the admin does (docs/decisions/0024).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.auth.models import User

from coruscant import clock, locks, money
from coruscant.admin.figures import instant
from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read, words
from coruscant.approvals.people import both
from coruscant.errors import DomainError
from coruscant.money import decimal_string, parse_amount
from pricing import reading, rehearsal
from pricing.guard import Guard, Jump, Mode, in_force
from pricing.models import PriceGuard
from pricing.quotes import unit_price

CHANGE: Final = "pricing.change_guard"
PERMISSION: Final = "pricing.add_priceguard"
#: The period whose prices both people are shown the effect on.
PERIOD = timedelta(days=7)
_SHOWN = 10

#: Each says by what share a price may fall within the life of one loan; the apps that lend add theirs.
falls: list[Callable[[], Decimal]] = []


class GuardDoesNotFit(DomainError):
    """The settings contradict each other, or a loan could be liquidated only by a jump."""

    code = "guard-does-not-fit"
    title = "These settings of the guard do not fit"
    status: ClassVar[int] = 422


def least_jump() -> Decimal:
    """The deepest fall from the activation to the liquidation of a loan: no such fall may be a jump by itself."""
    return max((fall() for fall in falls), default=money.ZERO)


def _mode(value: object) -> Mode:
    try:
        return Mode(str(value))
    except ValueError:
        raise ValueError(f"must be one of {', '.join(Mode)}") from None


def _instant(value: object) -> datetime:
    try:
        found = datetime.fromisoformat(str(value))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise ValueError("must be an instant with its time zone, such as 2026-11-26T00:00:00+00:00")
    return found


#: What somebody asks for, and how each is read.
_SETTINGS: Final[dict[str, Callable[[Any], Any]]] = {
    "mode": _mode, "jump": parse_amount, "agreement": parse_amount, "dispute": parse_amount,
}  # fmt: skip


def _guard(sent: Mapping[str, Any], holds_from: datetime) -> Guard:
    """A guard of the settings asked for. Raises GuardDoesNotFit."""
    guard = Guard(holds_from, **{name: sent[name] for name in _SETTINGS})
    if not guard.agreement < guard.jump < 1:
        raise GuardDoesNotFit("The jump must be below 1, and the agreement below the jump.")
    if not guard.dispute < 1:
        raise GuardDoesNotFit("The dispute must be below 1: with more, one market may be twice as high as the other.")
    if guard.mode is not Mode.OFF and guard.jump <= (least := least_jump()):
        raise GuardDoesNotFit(f"The jump must be above {least}: the fall from activation to liquidation.")
    if any(share != money.round_down(share, 4) for share in (guard.jump, guard.agreement, guard.dispute)):
        raise GuardDoesNotFit("The shares have at most four decimals.")
    return guard


def _complete(arguments: Arguments) -> Arguments:
    """What the present and the new guard would have held up to now: worked out once, under no lock."""
    until = clock.now()
    guard, present = _guard(read(arguments, **_SETTINGS), until), in_force(reading.guards(), until)
    return {
        **arguments, "prices_until": until.isoformat(), "present_held": _held(present, until),
        "new_held": _held(guard, until),
    }  # fmt: skip


def _read(arguments: Arguments) -> dict[str, Any]:
    return read(arguments, **_SETTINGS, prices_until=_instant, present_held=words, new_held=words)


def _lock(_arguments: Arguments) -> None:
    """Wait for whoever decides by the guard in force, and keep others from it, and the terms as they are."""
    locks.exclusive(locks.EVALUATION)
    locks.share(locks.TERMS)
    locks.exclusive(locks.ACTIVATION)


def _effect(arguments: Arguments) -> str:
    """Reads no quotes, since evaluations and activations wait for it when it is carried out."""
    sent = _read(arguments)
    until = sent["prices_until"]
    guard, present = _guard(sent, until), in_force(reading.guards(), clock.now())
    lines = [
        f"The guard over prices is now: {_words(present)}.",
        f"It becomes: {_words(guard)}, from the instant of the agreement on.",
        f"Of the quotes sent in the seven days to {instant(until)}, as far as they are kept:",
        f"the present jump of {decimal_string(present.jump)} would have held {sent['present_held']}",
        f"the new one of {decimal_string(guard.jump)} would have held {sent['new_held']}",
        "For how long the markets would have been in dispute was not worked out.",
    ]
    if guard.mode is not Mode.ON:
        lines.append("A guard that is not on holds nothing: one false quote is believed at once.")
    return "\n".join(lines)


def _words(guard: Guard) -> str:
    jump, agreement, dispute = map(decimal_string, (guard.jump, guard.agreement, guard.dispute))
    return f"{guard.mode}, jump {jump}, agreement {agreement}, dispute {dispute}"


def _held(guard: Guard, until: datetime) -> str:
    found = rehearsal.held(guard, until - PERIOD, until)
    most = "" if found.complete else "at least "
    lines = [f"{most}{len(found.jumps)} quotes, of which {found.unconfirmed} nothing confirmed."]
    lines += [_line(jump) for jump in found.jumps[:_SHOWN]]
    if len(found.jumps) > _SHOWN:
        lines.append("… and more.")
    return "\n".join(lines)


def _line(jump: Jump) -> str:
    before, after = (unit_price(one.sell, settings.PRICE_REFERENCE_QUANTITY) for one in (jump.against, jump.quote))
    became = "confirmed" if jump.confirmed else "not confirmed"
    return f"{instant(jump.quote.sent_at)}, {jump.quote.market.label}: {before} to {after} GC a unit, {became}"


def _change(arguments: Arguments, *, asked_by: User, agreed_by: User) -> str:
    now = clock.now()
    guard, last = _guard(_read(arguments), now), reading.guards()[-1:]
    row = PriceGuard.objects.create(
        # After a clock that was set back, too: of two guards the later one holds later.
        holds_from=max([now, *(one.holds_from for one in last)]),
        mode=guard.mode,
        jump=guard.jump,
        agreement=guard.agreement,
        dispute=guard.dispute,
        changed_by=both(asked_by, agreed_by),
    )
    return f"The guard is {_words(guard)} since {instant(row.holds_from)}."


register(
    Action(
        name=CHANGE,
        title="Change the guard over prices",
        permission=PERMISSION,
        lock=_lock,
        effect=_effect,
        execute=_change,
        complete=_complete,
    )
)
