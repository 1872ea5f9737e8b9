"""How far an HTTP/1 request has arrived, asked after every packet. Pure.

It finds the end of a request and nothing else: what is in it is for gunicorn's parser, which is strict. So a head that
is no head counts as one without a body, and is refused by the parser.
"""

import re
from http import HTTPStatus
from typing import Final

MOST_HEAD: Final = 32 * 1024
#: Above what any view reads.
MOST_BODY: Final = 256 * 1024

_CHUNKED = re.compile(rb"\r\ntransfer-encoding:", re.IGNORECASE)
_LENGTH = re.compile(rb"\r\ncontent-length:[ \t]*(\d+)[ \t]*\r\n", re.IGNORECASE)
_EXPECTS = re.compile(rb"[^\r]* HTTP/1\.1\r\n(.*\r\n)?expect:[ \t]*100-continue[ \t]*\r\n", re.IGNORECASE | re.DOTALL)
_CHUNK_SIZE = re.compile(rb"[ \t]*([0-9a-fA-F]{1,8})[ \t]*(;|$)")
_MOST_DIGITS = len(str(MOST_BODY))


class Arrival:
    """A request of which bytes arrive, and perhaps the beginning of the next one behind it.

    In the end it is `whole`, or there is a `refusal`: the status for one that will not be read to its end.
    `asks_to_continue` is whether its client waits for leave to send the body.
    """

    def __init__(self) -> None:
        self.received = bytearray()
        self.whole = self.asks_to_continue = False
        self.refusal: HTTPStatus | None = None
        self._body_at = self._chunk_at = self._length = 0

    def add(self, found: bytes) -> None:
        """Take what has arrived."""
        self.received += found
        if not self._body_at:
            self._read_head()
        if self.refusal or not self._body_at:
            return
        if self._chunk_at:
            self._read_chunks()
        else:
            self.whole = len(self.received) >= self._body_at + self._length

    def _read_head(self) -> None:
        while self.received.startswith(b"\r\n"):  # some clients end a body with an empty line
            del self.received[:2]
        end = self.received.find(b"\r\n\r\n", 0, MOST_HEAD)
        if end < 0:
            if len(self.received) > MOST_HEAD:
                self.refusal = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            return
        head = bytes(self.received[: end + 2])
        self._body_at = end + 4
        self.asks_to_continue = bool(_EXPECTS.match(head))
        if _CHUNKED.search(head):
            self._chunk_at = self._body_at
        elif length := _LENGTH.search(head):
            digits = length[1].lstrip(b"0") or b"0"
            if len(digits) > _MOST_DIGITS or int(digits) > MOST_BODY:
                self.refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
            else:
                self._length = int(digits)

    def _read_chunks(self) -> None:
        """Go on from chunk to chunk to the last one, and to the empty line that ends what comes behind it."""
        while (line := self.received.find(b"\r\n", self._chunk_at)) >= 0:
            size = _CHUNK_SIZE.match(bytes(self.received[self._chunk_at : line]))
            if not size:
                self.refusal = HTTPStatus.BAD_REQUEST
                return
            if not int(size[1], 16):
                self.whole = self.received.find(b"\r\n\r\n", line) >= 0
                break
            after = line + 2 + int(size[1], 16) + 2
            if after > len(self.received):
                self._refuse_beyond_bound(after)
                return
            self._chunk_at = after
        if not self.whole:
            self._refuse_beyond_bound(len(self.received))

    def _refuse_beyond_bound(self, end: int) -> None:
        if end > self._body_at + MOST_BODY:
            self.refusal = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
