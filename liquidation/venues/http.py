"""One HTTP POST to a market, bounded in total time, sent at most once.

The time-out of requests is per read: a market that sends a byte a second would hold a worker without end. Here every
operation on the socket, plain or TLS, gets what is left of one deadline. The client retries nothing: what is sent
again is decided by the order's row.
"""

import socket
import ssl
import time
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from typing import Any

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.ssl_ import create_urllib3_context

from liquidation.venues import addresses
from liquidation.verdicts import NeverSent, Unclear

#: Above the number of threads of a worker, so that each keeps its connection to each market open.
POOL_SIZE = 128
#: No answer to an order is longer.
MAX_ANSWER_BYTES = 64 * 1024

_deadline: ContextVar[float] = ContextVar("deadline")


@dataclass(frozen=True, slots=True)
class Response:
    """A complete HTTP answer: status and the body's bytes."""

    status: int
    body: bytes


def _remaining() -> float:
    left = _deadline.get() - time.monotonic()
    if left <= 0:
        raise TimeoutError("the market took longer than MARKET_TIMEOUT_SECONDS in total")
    return left


class _SharedDeadline:
    """Every read and write of a socket gets what is left of one deadline."""

    def recv_into(self, *args: Any, **kwargs: Any) -> int:
        self.settimeout(_remaining())  # type: ignore[attr-defined]
        return super().recv_into(*args, **kwargs)  # type: ignore[misc, no-any-return]

    def sendall(self, *args: Any, **kwargs: Any) -> None:
        self.settimeout(_remaining())  # type: ignore[attr-defined]
        super().sendall(*args, **kwargs)  # type: ignore[misc]


class _DeadlineSocket(_SharedDeadline, socket.socket):
    pass


class _DeadlineTLSSocket(_SharedDeadline, ssl.SSLSocket):
    pass


def _connect(connection: HTTPConnection) -> socket.socket:
    """Open a connection to the first address that answers and that orders may go to; all share the deadline.

    Raises urllib3's errors for a name that does not resolve or leads inside, an address that refuses, and a deadline
    that passes. Only resolving the name is not bound by the deadline; nothing has been sent then.
    """
    try:
        found = addresses.resolve(connection.host, connection.port)
    except addresses.LeadsInside as error:
        raise NewConnectionError(connection, str(error)) from error
    except (OSError, UnicodeError) as error:
        raise NameResolutionError(connection.host, connection, error) from error  # type: ignore[arg-type]
    refused: OSError | None = None
    for family, kind, protocol, _name, address in found:
        opened = _DeadlineSocket(family, kind, protocol)
        try:
            opened.settimeout(_remaining())
            opened.connect(address)
        except OSError as error:
            opened.close()
            refused = error
            continue
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return opened
    if isinstance(refused, TimeoutError):
        raise ConnectTimeoutError(connection, "no address answered in time") from refused
    raise NewConnectionError(connection, f"no connection: {refused}") from refused


class _Connection(HTTPConnection):
    _new_conn = _connect


class _TLSConnection(HTTPSConnection):
    _new_conn = _connect


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TLSPool(HTTPSConnectionPool):
    ConnectionCls = _TLSConnection


class _DeadlineAdapter(HTTPAdapter):
    """Connections that end with the deadline of the call, without retries."""

    def __init__(self) -> None:
        super().__init__(pool_connections=4, pool_maxsize=POOL_SIZE, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        context = create_urllib3_context()
        context.sslsocket_class = _DeadlineTLSSocket
        context.load_default_certs()
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=block, ssl_context=context, **kwargs
        )
        self.poolmanager.pool_classes_by_scheme = {"http": _Pool, "https": _TLSPool}


def _new_session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False  # a proxy would answer in the market's name; ~/.netrc knows nothing of an order
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))  # orders share nothing but the connection
    session.mount("http://", _DeadlineAdapter())
    session.mount("https://", _DeadlineAdapter())
    return session


#: One for the process: its pool keeps connections to the markets open from order to order.
_session = _new_session()


def post(url: str, body: str, *, timeout_seconds: float) -> Response | NeverSent | Unclear:
    """POST a JSON text and return the whole answer, within `timeout_seconds` in total. Never raises for I/O.

    NeverSent means that the connection provably never opened; every other failure is Unclear.
    """
    token = _deadline.set(time.monotonic() + timeout_seconds)
    try:
        with _session.post(
            url,
            data=body.encode(),
            headers={"Content-Type": "application/json", "Accept": "application/json"},
            timeout=timeout_seconds,
            allow_redirects=False,
            stream=True,
        ) as response:
            return Response(response.status_code, _read(response))
    except requests.ConnectionError as error:
        if _never_opened(error):
            return NeverSent(f"{type(error).__name__}: {error}"[:500])
        return Unclear("connection lost", str(error)[:500])
    except (requests.Timeout, TimeoutError) as error:
        return Unclear("time-out", str(error)[:500])
    except (requests.RequestException, OSError) as error:
        return Unclear("unreadable", f"{type(error).__name__}: {error}"[:500])
    finally:
        _deadline.reset(token)


def _read(response: requests.Response) -> bytes:
    """The whole body. Raises RequestException when it is cut off or too long."""
    body = b""
    for chunk in response.iter_content(8192):
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise requests.exceptions.ContentDecodingError(f"more than {MAX_ANSWER_BYTES} bytes")
    return body


def _never_opened(error: requests.ConnectionError) -> bool:
    cause: object = error.args[0] if error.args else None
    cause = getattr(cause, "reason", cause)
    return isinstance(cause, NewConnectionError | NameResolutionError | ConnectTimeoutError)
