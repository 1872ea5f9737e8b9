"""Liveness and readiness.

Ready means that the database answers. Cache and broker are only reported: without them the service is degraded, but
it still accepts every request and loses nothing. So it is while a restore holds something, or a queue or topic is
missing; only then there is a check called `restore` or `messaging`. Each check runs in a thread of its own, and all of
them end within DEADLINE_SECONDS, so a server that hangs does not hang the answer.
"""

from collections.abc import Callable, Mapping
from concurrent.futures import Future

import structlog
from django.core.cache import cache
from django.db import OperationalError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache

from coruscant import at_once, missing
from coruscant.celery import app
from coruscant.restores import holds, identity
from coruscant.web.problems import RETRY_LATER, problem, refuse_writes

log = structlog.get_logger(__name__)

#: All checks together take no longer.
DEADLINE_SECONDS = 3.0
_BROKER_TIMEOUT_SECONDS = 1


@never_cache
def live(request: HttpRequest) -> HttpResponse:
    """200 while the process answers at all."""
    return refuse_writes(request) or JsonResponse({"status": "ok"})


@never_cache
def ready(request: HttpRequest) -> HttpResponse:
    """200 when the database answers, and the state of each check; otherwise 503."""
    if refused := refuse_writes(request):
        return refused
    checks: dict[str, Callable[[], object]] = {
        "database": _ask_database, "cache": lambda: cache.get("health"), "broker": _ask_broker, "restore": _ask_restore,
        "messaging": missing.require_none,
    }  # fmt: skip
    answers = run(checks)
    if answers["database"] != "ok":
        return problem(503, detail="The database does not answer.", headers=RETRY_LATER)
    for name in ("restore", "messaging"):  # said only when something is held up
        if answers[name] == "ok":
            del answers[name]
    degraded = any(answer != "ok" for answer in answers.values())
    return JsonResponse({"status": "degraded" if degraded else "ok", "checks": answers})


def run(checks: Mapping[str, Callable[[], object]], deadline_seconds: float = DEADLINE_SECONDS) -> dict[str, str]:
    """Run all checks at once and wait until the deadline at most. Gives `ok`, `failing` or `no answer` for each."""
    return {name: _answer(name, check) for name, check in at_once.ask(checks, deadline_seconds).items()}


def _answer(name: str, check: Future[object]) -> str:
    if not check.done():
        return "no answer"
    if error := check.exception():
        log.warning("health_check_failed", check=name, error=str(error))
    return "failing" if error else "ok"


def _ask_database() -> None:
    connection.ensure_connection()
    if not connection.is_usable():
        raise OperationalError("The database answers no query.")


def _ask_restore() -> None:
    identity.require()
    holds.require_none()


def _ask_broker() -> None:
    with app.connection_for_write() as broker:
        broker.ensure_connection(max_retries=1, timeout=_BROKER_TIMEOUT_SECONDS)
