"""Which text PostgreSQL can store: any but NUL and lone surrogates."""

import re

_NOT_STORABLE = re.compile("[\x00\ud800-\udfff]")


def is_storable(text: str) -> bool:
    """Whether a text column can hold the text as it is."""
    return _NOT_STORABLE.search(text) is None


def escaped(text: str) -> str:
    r"""The text with NUL and lone surrogates written as escapes, `\x00` and `\ud800`, so that it can be stored."""
    return text.encode(errors="backslashreplace").decode().replace("\x00", "\\x00")
