"""The address of whoever calls, where proxies stand between."""

from collections.abc import Callable
from ipaddress import ip_address

import structlog
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase


class AddressMiddleware:
    """Puts the caller's own address into REMOTE_ADDR, for axes and throttles, and into every line of the log as `ip`.

    Each proxy adds to X-Forwarded-For, at its end, the address that called it. So the list is read from its end for as
    long as who wrote it is one of TRUSTED_PROXIES. Whatever others write there is not believed.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """As any middleware; before the one that begins the log of the request."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Find the address."""
        address = caller(request.META.get("REMOTE_ADDR", ""), request.META.get("HTTP_X_FORWARDED_FOR", ""))
        request.META["REMOTE_ADDR"] = address
        with structlog.contextvars.bound_contextvars(ip=address):
            return self.get_response(request)


def caller(peer: str, forwarded_for: str) -> str:
    """The last address that no trusted proxy has; `peer` is connected to us. What is no address ends the search."""
    before = forwarded_for.split(",")
    while before and _is_trusted(peer):
        try:
            peer = str(ip_address(before.pop().strip()))
        except ValueError:
            break
    return peer


def _is_trusted(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:  # such as the empty name of a UNIX socket's peer
        return False
    found = getattr(found, "ipv4_mapped", None) or found
    return any(found in network for network in settings.TRUSTED_PROXIES)
