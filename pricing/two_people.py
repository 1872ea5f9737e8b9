"""Changing the guard as an act of two people: what both are shown, and what is done when they agree.

Importing it registers the action; the admin does (docs/decisions/0024).
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.conf import settings
from django.contrib.auth.models import User

from coruscant import clock, locks, money
from coruscant.admin.figures import instant
from coruscant.approvals.actions import Action, register
from coruscant.approvals.arguments import Arguments, read
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


def _guard(arguments: Arguments) -> tuple[Guard, datetime]:
    """The settings asked for, and the end of the period whose prices are looked at."""
    sent: dict[str, Any] = read(
        arguments, mode=_mode, jump=parse_amount, agreement=parse_amount, dispute=parse_amount, prices_until=_instant
    )
    until = sent.pop("prices_until")
    if not sent["agreement"] < sent["jump"] < 1:
        raise GuardDoesNotFit("The jump must be below 1, and the agreement below the jump.")
    if sent["mode"] is not Mode.OFF and sent["jump"] <= least_jump():
        raise GuardDoesNotFit(f"The jump must be above {least_jump()}: the fall from activation to liquidation.")
    if any(share != money.round_down(share, 4) for share in (sent["jump"], sent["agreement"], sent["dispute"])):
        raise GuardDoesNotFit("The shares have at most four decimals.")
    return Guard(holds_from=until, **sent), until


def _lock(_arguments: Arguments) -> None:
    locks.exclusive(locks.EVALUATION)


def _effect(arguments: Arguments) -> str:
    guard, until = _guard(arguments)
    present = in_force(reading.guards(), clock.now())
    lines = [
        f"The guard over prices is now: {_words(present)}.",
        f"It becomes: {_words(guard)}, from the instant of the agreement on.",
        f"Of the quotes sent in the seven days to {instant(until)}, as far as they are kept:",
        f"the present jump of {decimal_string(present.jump)} would have held {_held(present, until)}",
        f"the new one of {decimal_string(guard.jump)} would have held {_held(guard, until)}",
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
    guard, _until = _guard(arguments)
    row = PriceGuard.objects.create(
        holds_from=clock.now(),
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
    )
)
