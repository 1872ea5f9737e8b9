"""Whether the process lives, and whether it is ready to serve.

Ready means that the database answers. Cache and broker are reported, but a service without them still accepts every
request and loses nothing, so they only make it degraded. Each check runs in a thread of its own and all together
take a bounded time: a server that hangs is told from one that answers without hanging with it.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic

import structlog
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from coruscant.celery import app
from coruscant.web.problems import RETRY_AFTER_SECONDS, problem

log = structlog.get_logger(__name__)

#: All checks together take no longer.
DEADLINE_SECONDS = 3.0
_BROKER_TIMEOUT_SECONDS = 1


@dataclass(slots=True)
class _Check:
    """One question to one server, asked in its own thread; `answer` stays "no answer" while it has none."""

    name: str
    ask: Callable[[], None]
    answer: str = "no answer"
    thread: threading.Thread = field(init=False)

    def start(self) -> None:
        self.thread = threading.Thread(target=self._run, name=f"health-{self.name}", daemon=True)
        self.thread.start()

    def _run(self) -> None:
        try:
            self.ask()
        except Exception as error:
            log.warning("health_check_failed", check=self.name, error=str(error))
            self.answer = "failing"
        else:
            self.answer = "ok"


@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return _only_reads(request) or JsonResponse({"status": "ok"})


@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, with what else is degraded; otherwise 503."""
    if refused := _only_reads(request):
        return refused
    answers = run([_Check("database", _ask_database), _Check("cache", _ask_cache), _Check("broker", _ask_broker)])
    if answers["database"] != "ok":
        return problem(503, detail="The database does not answer.", headers={"Retry-After": str(RETRY_AFTER_SECONDS)})
    degraded = any(answer != "ok" for answer in answers.values())
    return JsonResponse({"status": "degraded" if degraded else "ok", "checks": answers})


def run(checks: list[_Check], deadline_seconds: float = DEADLINE_SECONDS) -> dict[str, str]:
    """Ask all at once and wait for all, but not beyond the deadline: `ok`, `failing` or `no answer` for each."""
    until = monotonic() + deadline_seconds
    for check in checks:
        check.start()
    for check in checks:
        check.thread.join(max(0.0, until - monotonic()))
    return {check.name: check.answer for check in checks}


def _only_reads(request: HttpRequest) -> HttpResponse | None:
    if request.method in {"GET", "HEAD"}:
        return None
    return problem(405, headers={"Allow": "GET, HEAD"})


def _ask_database() -> None:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()  # this thread's own


def _ask_cache() -> None:
    cache.get("health")


def _ask_broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=_BROKER_TIMEOUT_SECONDS)
