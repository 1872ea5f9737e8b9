"""Who is asked for a second factor, whether a code is right, and how one is enrolled and reset."""

import time
from binascii import unhexlify
from typing import Final

import structlog
from django.conf import settings
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils import timezone
from django_otp import verify_token
from django_otp.models import Device
from django_otp.oath import TOTP
from django_otp.plugins.otp_static.models import StaticDevice, StaticToken
from django_otp.plugins.otp_totp.models import TOTPDevice

from coruscant.errors import DomainError

log = structlog.get_logger(__name__)

BACKUP_CODES: Final = 8
#: Of an authenticator's codes; backup codes are longer.
DIGITS: Final = 6
#: A clock may be off by so many steps of 30 s.
_TOLERANCE: Final = 1


class OwnSecondFactor(DomainError):
    """Nobody resets a second factor of their own: whoever took their session could."""

    code = "own-second-factor"
    title = "Nobody resets their own second factor"


def has_one(user: User) -> bool:
    """Whether this person has enrolled one."""
    return bool(TOTPDevice.objects.filter(user=user, confirmed=True).exists())


def must_have_one(user: User) -> bool:
    """Whether a group of this person must; administrators who may do everything must as soon as any group must."""
    required = settings.SECOND_FACTOR_GROUPS
    return bool(required) and (user.is_superuser or user.groups.filter(name__in=required).exists())


def right_device(user: User, code: str) -> Device | None:
    """The device of this person that gave the code; None if none did, or after wrong ones it is too soon to ask.

    A code is right once. Each wrong one makes the device look at none for 1 s, 2 s, 4 s and so on.
    """
    kind = TOTPDevice if len(code) == DIGITS else StaticDevice
    for device in kind.objects.filter(user=user, confirmed=True):
        if found := verify_token(user, device.persistent_id, code):
            log.info("second_factor_shown", user=user.get_username(), kind=kind.__name__)
            return found
    log.warning("second_factor_refused", user=user.get_username(), kind=kind.__name__)
    return None


def enrol(user: User, key: str, code: str, *, replaces: bool = False) -> tuple[TOTPDevice, list[str]] | None:
    """Enrol the authenticator with this secret (hex), if it gives this code now; else None.

    It takes the place of what the person had, if it `replaces` that; else None if they have one by now. Returns the
    device and new backup codes, which are not shown again. Locks: the person.
    """
    totp = TOTP(unhexlify(key))
    totp.time = time.time()
    if not (code.isdecimal() and totp.verify(int(code), _TOLERANCE)):
        return None
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if has_one(user) and not replaces:
            return None
        _forget(user)
        device = TOTPDevice.objects.create(
            user=user, name="authenticator", key=key, tolerance=_TOLERANCE, drift=totp.drift, last_t=totp.t()
        )
        codes = [StaticToken.random_token() for _number in range(BACKUP_CODES)]
        backup = StaticDevice.objects.create(user=user, name="backup codes")
        StaticToken.objects.bulk_create(StaticToken(device=backup, token=code) for code in codes)
        _log(user, user, "Second factor enrolled.")
    log.info("second_factor_enrolled", user=user.get_username())
    return device, codes


def reset(user: User, *, by: User, why: str) -> None:
    """Forget a person's second factor, since the device is lost; their history says who did it. Idempotent.

    Their sessions end, so that no open one can enrol in their place: whoever must have one enrols another at the next
    log-in. Raises OwnSecondFactor.
    """
    if user.pk == by.pk:
        raise OwnSecondFactor("Ask somebody else to reset your second factor.")
    with transaction.atomic():
        _forget(user)
        for session in Session.objects.filter(expire_date__gt=timezone.now()):
            if session.get_decoded().get(SESSION_KEY) == str(user.pk):
                session.delete()
        _log(user, by, f"Second factor reset: {why}")
    log.warning("second_factor_reset", user=user.get_username(), by=by.get_username(), why=why)


def _forget(user: User) -> None:
    TOTPDevice.objects.filter(user=user).delete()
    StaticDevice.objects.filter(user=user).delete()


def _log(user: User, by: User, message: str) -> None:
    people = User.objects.filter(pk=user.pk)
    LogEntry.objects.log_actions(by.pk, people, CHANGE, change_message=message, single_object=True)
