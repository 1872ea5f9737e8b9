"""A queue's messages as they are received, and what each one is: a quote, another item's price, or unreadable."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pricing.feeds import FeedSource
from pricing.feeds.envelope import unwrap
from pricing.feeds.event import Basis, ParsedQuote, Skipped, Unreadable

_MAX_MESSAGE_ID = 128
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_TIMESTAMP_DIGITS = 14  # milliseconds up to the year 5138
_CLOCK_TOLERANCE = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Received:
    """One message: its id, when the queue received it, its body, and what was read from it.

    `sent_at` is never later than the instant of the receive, even where the queue's clock is ahead of ours. It is None
    if the queue did not say. `ahead` is true if the queue's clock is ahead by more than a tolerance.
    """

    message_id: str
    sent_at: datetime | None
    body: str
    content: ParsedQuote | Skipped | Unreadable
    ahead: bool = False


def read(source: FeedSource, basis: Basis, message: Mapping[str, Any], now: datetime) -> Received:
    """Read one message as SQS gives it (`MessageId`, `Body`, `Attributes.SentTimestamp`), received at `now`.

    Never raises: whatever is wrong with the message becomes its content, as Unreadable.
    """
    body = str(message.get("Body") or "")
    message_id, sent_at = str(message.get("MessageId") or ""), _sent_at(message)
    content: ParsedQuote | Skipped | Unreadable
    try:
        content = source.parse(unwrap(body), basis)
        if not _usable(message_id):
            content = Unreadable("the queue gave no usable MessageId, so a repetition could not be recognized")
        elif sent_at is None:
            content = Unreadable("the queue gave no usable SentTimestamp, so the price's age is not known")
    except Unreadable as unreadable:
        content = unreadable
    if not _usable(message_id):
        message_id = f"sha256:{digest(body)}"
    ahead = sent_at is not None and sent_at - now > _CLOCK_TOLERANCE
    return Received(message_id, min(sent_at, now) if sent_at else None, body, content, ahead)


def _usable(message_id: str) -> bool:
    return 0 < len(message_id) <= _MAX_MESSAGE_ID and message_id.isascii() and message_id.isprintable()


def _sent_at(message: Mapping[str, Any]) -> datetime | None:
    """When the queue received the message, to the millisecond."""
    milliseconds = str((message.get("Attributes") or {}).get("SentTimestamp") or "")
    if not (milliseconds.isascii() and milliseconds.isdigit() and len(milliseconds) <= _MAX_TIMESTAMP_DIGITS):
        return None
    return _EPOCH + timedelta(milliseconds=int(milliseconds))


def digest(body: str) -> str:
    """The SHA-256 of a whole body, in hexadecimal."""
    return hashlib.sha256(body.encode(errors="surrogatepass")).hexdigest()
