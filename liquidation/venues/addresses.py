"""Where an order may go.

A market's name says nothing of where it leads, and whoever answers for the name may change that at any time. So what is
looked at is the address that is connected to next.
"""

import socket
from typing import Any

from django.conf import settings

from coruscant.public_addresses import is_public

#: Family, kind, protocol, name and address, as the resolver gives them.
Found = tuple[socket.AddressFamily, socket.SocketKind, int, str, Any]


class LeadsInside(OSError):
    """No address of a market is public."""


def resolve(host: str, port: int) -> list[Found]:
    """The addresses of a market, in the resolver's order, without those that only we reach.

    DEMO, DEBUG and a MARKET_URLS_REASON let all of them pass. Raises socket.gaierror or UnicodeError for a name that
    does not resolve, and LeadsInside if no address is left.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    if settings.DEMO or settings.DEBUG or settings.MARKET_URLS_REASON:
        return found
    public = [one for one in found if is_public(str(one[4][0]))]
    if not public:
        raise LeadsInside(f"{host} leads inside; if that is meant, MARKET_URLS_REASON says why")
    return public
