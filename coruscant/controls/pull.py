"""Pulling a control, extending it, and ending it before it ends by itself."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import ClassVar, Final

import structlog
from django.conf import settings
from django.db.models import Q

from coruscant import clock, history, locks
from coruscant.approvals.ask import a_reason
from coruscant.controls.models import ALONE, OF_A_MARKET, Control, ControlKind
from coruscant.errors import DomainError

log = structlog.get_logger(__name__)

#: Not even two people pull one for longer at a time; they may extend it.
LONGEST: Final = timedelta(days=7)


class UnknownControl(DomainError):
    """There is no such kind, or it is of no such market."""

    code = "unknown-control"
    title = "There is no such control"
    status: ClassVar[int] = 422


class BadDuration(DomainError):
    """A control would end before it begins, or last longer than any may."""

    code = "bad-duration"
    title = "The control cannot last so long"
    status: ClassVar[int] = 422


class SecondPersonNeeded(DomainError):
    """One person alone pulled, extended or ended what takes two."""

    code = "control-needs-two-people"
    title = "A second person must agree"
    status: ClassVar[int] = 409


class AlreadyPulled(DomainError):
    """A control of this kind, and for this market, holds already."""

    code = "already-pulled"
    title = "This control holds already"
    status: ClassVar[int] = 409


class ControlOver(DomainError):
    """The control has ended, or there never was one."""

    code = "control-over"
    title = "The control does not hold, or no longer"
    status: ClassVar[int] = 409


def pull(
    kind: str, *, lasts: timedelta, why: str, by: str, by_id: int | None, market: str = "",
    on_command_line: bool = False, two_people: bool = False,
) -> Control:  # fmt: skip
    """Let a control hold from now on.

    `two_people`: a second person has agreed (`two_people.py` may say so). One person alone gets an hour, and after
    that no other one alone the same control for another hour: else they could go on for ever.

    The row is written under the lock of whoever decides by it: what was decided before it stays, what comes later
    obeys. Locks: evaluations, then the activation barrier (see `lock_boundary`). Raises UnknownControl, BadDuration,
    ReasonMissing, AlreadyPulled, SecondPersonNeeded; then nothing is changed.
    """
    reason = a_reason(why)
    with _deciding("pull", f"{kind} {market}".strip(), by, by_id) as now:
        check(kind, market, lasts, now)
        if not two_people:
            _check_alone(kind, market, lasts, by_id, now)
        control = Control.objects.create(
            kind=kind, market=market, began_at=now, until=now + lasts, why=reason, pulled_by=by, pulled_by_id=by_id,
            on_command_line=on_command_line, two_people=two_people,
        )  # fmt: skip
    log.error(
        "control_pulled", control=control.pk, kind=kind, market=market, until=control.until.isoformat(), actor=by,
        why=reason,
    )  # fmt: skip
    return control


def extend(control_id: int, *, lasts: timedelta, by: str, by_id: int | None, two_people: bool = False) -> Control:
    """Let a control that holds end later: `lasts` from now on. It takes two people, whoever pulled it.

    Locks as `pull`. Raises BadDuration, ControlOver, SecondPersonNeeded; then nothing is changed.
    """
    _check_duration(lasts)
    with _deciding("extend", f"control-{control_id}", by, by_id, two_people=two_people) as now:
        control = holding(control_id, now)
        if now + lasts <= control.until:
            raise BadDuration(f"It holds until {_instant(control.until)} as it is.")
        control.until, control.two_people = now + lasts, True
        control.save(update_fields=["until", "two_people"])
    log.error("control_extended", control=control_id, until=control.until.isoformat(), actor=by)
    return control


def end(control_id: int, *, by: str, by_id: int | None, two_people: bool = False) -> Control:
    """End a control now. It takes two people, whoever pulled it.

    Locks as `pull`. Raises ControlOver, SecondPersonNeeded; then nothing is changed.
    """
    with _deciding("end", f"control-{control_id}", by, by_id, two_people=two_people) as now:
        control = holding(control_id, now)
        control.until, control.ended_by = max(now, control.began_at), by  # the clock may have been set back
        control.save(update_fields=["until", "ended_by"])
    log.warning("control_ended", control=control_id, kind=control.kind, market=control.market, actor=by)
    return control


def check(kind: str, market: str, lasts: timedelta, now: datetime) -> None:
    """Raises UnknownControl, BadDuration, AlreadyPulled for what nobody may pull now, not even two people."""
    _check_known(kind, market)
    _check_duration(lasts)
    if holding := Control.objects.filter(kind=kind, market=market, until__gt=now).first():
        raise AlreadyPulled(f"{holding} holds until {_instant(holding.until)}: extend it.")


def holding(control_id: int, now: datetime) -> Control:
    """The control, if it holds. Raises ControlOver."""
    found = Control.objects.filter(pk=control_id).first()
    if found is None:
        raise ControlOver(f"There is no control {control_id}.")
    if found.until <= now:
        raise ControlOver(f"It ended at {_instant(found.until)}.")
    return found


def lock_boundary() -> None:
    """Wait for whoever decides by controls, and keep others from deciding until the transaction ends.

    An evaluation holds the first lock in each of its transactions; a posting that may activate shares the second.
    Nobody who holds the second waits for the first.
    """
    locks.exclusive(locks.EVALUATION)
    locks.exclusive(locks.ACTIVATION)


@contextmanager
def _deciding(verb: str, what: str, by: str, by_id: int | None, *, two_people: bool = True) -> Iterator[datetime]:
    """A transaction under the locks, with its cause; gives the instant, which is read under them."""
    if not two_people:
        raise SecondPersonNeeded("That takes a second person.")
    with history.acting_as(by, by_id), history.cause(verb, correlation_id=what):
        lock_boundary()
        yield clock.now()


def _check_known(kind: str, market: str) -> None:
    if kind not in ControlKind.values:
        raise UnknownControl(f"There is no control {kind}. There are {', '.join(ControlKind.values)}.")
    if (kind in OF_A_MARKET) != bool(market):
        raise UnknownControl(f"Name {'a' if kind in OF_A_MARKET else 'no'} market for this control.")
    markets = [str(one) for one in settings.MARKET_URLS]
    if market and market not in markets:
        raise UnknownControl(f"There is no market {market}. There are {', '.join(markets)}.")


def _check_alone(kind: str, market: str, lasts: timedelta, by_id: int | None, now: datetime) -> None:
    """Raises SecondPersonNeeded. Whoever pulled it alone last counts: else people could take turns for ever."""
    if lasts > ALONE:
        raise SecondPersonNeeded("One person alone may pull it for an hour at most.")
    last = Control.objects.filter(
        Q(two_people=False) | Q(pulled_by_id=by_id), kind=kind, market=market, until__gt=now - ALONE
    ).first()
    if last is not None:
        again = _instant(last.until + ALONE)
        raise SecondPersonNeeded(f"It was pulled lately: one person alone may pull it again from {again} on.")


def _check_duration(lasts: timedelta) -> None:
    if not timedelta(0) < lasts <= LONGEST:
        raise BadDuration("A control ends after it begins, and within seven days.")


def _instant(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC"
