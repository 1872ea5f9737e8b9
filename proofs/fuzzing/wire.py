"""One request as bytes over a socket, and what comes back: nothing on our side mends what is broken."""

import socket
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse

_PATIENCE_SECONDS = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; status 0 if it hung up without a word."""

    status: int
    media_type: str
    body: bytes
    replayed: bool = False


_SILENCE = Answer(0, "", b"")


def exchange(port: int, request: bytes, *, then_close: bool = True) -> Answer:
    """Send the bytes, say that no more will come (unless asked not to), and read the first answer.

    Raises TimeoutError when none comes.
    """
    with socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE_SECONDS) as connection:
        try:
            connection.sendall(request)
            if then_close:
                connection.shutdown(socket.SHUT_WR)
        except TimeoutError:
            raise
        except OSError:
            pass  # refused before all was sent: the answer may be there all the same
        try:
            response = HTTPResponse(connection, method="POST")
            response.begin()
            replayed = response.getheader("Idempotency-Replayed") == "true"
            return Answer(response.status, response.getheader("Content-Type", ""), response.read(), replayed)
        except (ConnectionError, HTTPException):
            return _SILENCE


def post(path: str, body: bytes, *headers: tuple[str, str], length: str | None = "right") -> bytes:
    """A POST as bytes; `length` is the Content-Length to announce, None for none."""
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers)]
    if length is not None:
        lines.append(f"Content-Length: {len(body) if length == 'right' else length}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body
