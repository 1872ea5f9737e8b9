"""How an answer leaves: what its client does not take at once is kept for the loop, which sends it on.

No more is kept than a bound. So the thread that writes a longer answer waits for its client. A client that takes
LEAST_RATE is waited for to the end; one that takes a byte now and then, for ANSWER_SECONDS in all.
"""

import socket
import time
from contextlib import suppress
from typing import Any, Final

#: An answer that is kept has so long to be taken; a client of a longer one may fall so far behind the least rate.
ANSWER_SECONDS = 60.0
#: Bytes a second.
LEAST_RATE: Final = 256 * 1024
#: Of one answer. Only exports are longer than that.
_MOST_UNSENT: Final = 2 * 1024 * 1024


class TooSlowError(OSError):
    """A client took its answer too slowly, and its connection is closed."""


class AnswerSocket(socket.socket):
    """Takes whatever is written to it, and keeps as `unsent` what its client does not take at once."""

    def __init__(self, accepted: socket.socket) -> None:
        super().__init__(accepted.family, accepted.type, accepted.proto, fileno=accepted.detach())
        self.unsent = bytearray()
        self.begin()

    def begin(self) -> None:
        """Begin another answer, with no regard to how the last one was taken."""
        self._seconds_left = ANSWER_SECONDS

    def sendall(self, data: Any, flags: int = 0) -> None:
        """Raises TooSlowError."""
        self.unsent += data
        self.send_unsent()
        while len(self.unsent) > _MOST_UNSENT:
            begun = time.monotonic()
            self.settimeout(self._seconds_left)
            with suppress(TimeoutError):
                self._send()
            self.setblocking(True)  # noqa: FBT003
            self._seconds_left -= time.monotonic() - begun
            if self._seconds_left <= 0:
                self.close()
                raise TooSlowError

    def send_unsent(self) -> None:
        """Send what the client takes now."""
        with suppress(BlockingIOError):
            while self.unsent:
                self._send(socket.MSG_DONTWAIT)

    def _send(self, flags: int = 0) -> None:
        sent = self.send(self.unsent, flags)
        del self.unsent[:sent]
        self._seconds_left = min(self._seconds_left + sent / LEAST_RATE, ANSWER_SECONDS)
