"""HTTP requests by route and status, counted by every process of a web server, for /metrics.

Processes of one gunicorn count into files of one folder, which coruscant/web/gunicorn_settings.py makes; any of them
adds them up. Labels are the route as it is written in the code, and the status: no client chooses one.
"""

import os
import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

#: prometheus_client reads it when it is imported.
FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_registry = CollectorRegistry()
_requests = Counter(
    "coruscant_http_requests", "Requests answered, by route and status", ("route", "status"), registry=_registry
)
_seconds = Histogram(
    "coruscant_http_request_seconds",
    "How long requests took, by route",
    ("route",),
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    registry=_registry,
)


class CountRequestsMiddleware:
    """Counts every request but probes and scrapes, which are answered before it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """As any middleware; behind that of probes, before all others."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer it and count it."""
        began = time.monotonic()
        response = self.get_response(request)
        route = _route(request)
        _requests.labels(route, response.status_code).inc()
        _seconds.labels(route).observe(time.monotonic() - began)
        return response


def exposition() -> bytes:
    """What was counted, in Prometheus' text format."""
    if FOLDER not in os.environ:
        return generate_latest(_registry)
    every_process = CollectorRegistry()
    MultiProcessCollector(every_process)  # type: ignore[no-untyped-call]  # it registers itself
    return generate_latest(every_process)


def _route(request: HttpRequest) -> str:
    """The route that was found; `none` where a middleware answered first, or no path of ours fits."""
    match = request.resolver_match
    if match is None or match.route == "^":
        return "none"
    return "/" + match.route.removeprefix("^").removesuffix(r"/?\Z").rstrip("/")
