"""Seals for what is kept in Redis, which is not trusted: who does not know SECRET_KEY can make none."""

import hashlib

from django.utils.crypto import salted_hmac


def seal(purpose: str, name: str, text: bytes) -> bytes:
    """The HMAC-SHA256 of a text under a name, 32 bytes. One for another purpose or name is another."""
    # A digest has one length, so no other name and text make the same bytes.
    return salted_hmac(purpose, hashlib.sha256(name.encode()).digest() + text, algorithm="sha256").digest()
