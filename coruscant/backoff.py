"""How long to wait before trying again. Pure, with deterministic jitter from the key."""

import zlib
from datetime import timedelta

#: A first resend comes quickly, since most faults are gone at once; the last ones are spaced, never given up.
FIRST_DELAY_SECONDS = 0.5
LONGEST_DELAY_SECONDS = 15.0
_DOUBLINGS = 6


def back_off(attempts: int, key: str) -> timedelta:
    """The delay after `attempts` tries: doubling, bounded, and up to a quarter shorter by a jitter from `key`."""
    delay = min(LONGEST_DELAY_SECONDS, FIRST_DELAY_SECONDS * 2 ** min(max(attempts - 1, 0), _DOUBLINGS))
    spread = zlib.crc32(f"{key}:{attempts}".encode()) % 1000 / 1000
    return timedelta(seconds=delay * (1 - spread / 4))
