"""Canonical JSON, so that the same content is always the same bytes, and has one hash. Pure."""

import hashlib
import json
from typing import Any


def canonical(value: Any) -> bytes:
    """JSON as RFC 8785 writes it: keys sorted, no blanks, UTF-8. Of the numbers only integers: figures are strings.

    Raises TypeError for what has no such form: a float, or a value that is not JSON.
    """
    _refuse_floats(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(value: Any) -> str:
    """The SHA-256 of the canonical bytes, in hexadecimal digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def _refuse_floats(value: Any) -> None:
    if isinstance(value, float):
        raise TypeError(f"{value!r} is a float, which has no exact form")
    if isinstance(value, dict):
        for each in value.values():
            _refuse_floats(each)
    elif isinstance(value, list):
        for each in value:
            _refuse_floats(each)
