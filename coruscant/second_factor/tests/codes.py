"""Codes of an authenticator, for tests: what a person's device would show."""

import re
import time
from base64 import b32decode

from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from coruscant.second_factor import factors

STEP = 30


def code_of(key: bytes, steps: int = 0) -> str:
    """The code of now, or so many steps later."""
    return f"{totp(key, t0=-STEP * steps):06}"


def wrong_code(key: bytes) -> str:
    """Six digits that are not the code of any step near now."""
    near = {code_of(key, steps) for steps in range(-3, 4)}
    return next(code for code in ("000000", "111111", "222222", "333333", "444444", "555555", "666666", "777777")
                if code not in near)  # fmt: skip


def key_on(page: str) -> bytes:
    """The secret that the page of enrolment shows."""
    (secret,) = re.findall(r'<code id="secret">([A-Z2-7 ]+)</code>', page)
    return b32decode(secret.replace(" ", ""))


def enrolled(person, *, replaces=False) -> tuple[bytes, list[str]]:
    """A second factor for a person: its secret, and the backup codes. The code of now is not used up."""
    key = b"12345678901234567890"
    done = factors.enrol(person, key.hex(), code_of(key), replaces=replaces)
    assert done
    device, codes = done
    TOTPDevice.objects.filter(pk=device.pk).update(last_t=time.time() // STEP - 2)
    return key, codes
