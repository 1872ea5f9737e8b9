"""`/metrics` for Prometheus: read from the database, Redis and SQS at each scrape, so that any web process can answer.

Only HTTP requests are counted by the web processes themselves. What does not answer is left out, and
`coruscant_scrape_answered` says so; the log says which part of the database that was.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from functools import partial

import structlog
from django.db import Error
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from coruscant import at_once, statements
from coruscant.monitoring import celery_queues, http_requests, signs_of_life
from coruscant.web.problems import refuse_writes
from liquidation.monitoring import books, recent
from liquidation.monitoring.figures import Figures, families
from pricing.ingest import depth

log = structlog.get_logger(__name__)

#: So long a scrape waits for all stores, at once …
DEADLINE_SECONDS = 3.0
#: … and the database for a statement. Most take some milliseconds.
STATEMENT_SECONDS = 1.0


def _processes() -> list[Figures]:
    signs = signs_of_life.read()
    last = [(kind, found.last_seconds) for kind, found in signs.items() if found.last_seconds is not None]
    seconds = f"{signs_of_life.SILENT_AFTER_SECONDS:.0f} s"
    return [
        Figures(
            "coruscant_processes_alive", f"Beats, and workers of each Celery queue, that gave a sign within {seconds}",
            ("kind",), [(kind, found.alive) for kind, found in signs.items()],
        ),
        Figures(
            "coruscant_processes_silent", f"Those that have given none for {seconds}, and did not stop as they should",
            ("kind",), [(kind, found.silent) for kind, found in signs.items()],
        ),
        Figures("coruscant_last_sign_of_life_seconds", "Time since the last sign of a kind", ("kind",), last),
    ]  # fmt: skip


def _tasks() -> list[Figures]:
    waiting = celery_queues.waiting()
    depths = [(queue, found.depth) for queue, found in waiting.items()]
    oldest = [(queue, found.oldest_seconds) for queue, found in waiting.items() if found.oldest_seconds is not None]
    meaning = "Time since the task was sent that waits for longest; 0 while none waits"
    return [
        Figures("coruscant_celery_queue_depth", "Tasks that wait", ("queue",), depths),
        Figures("coruscant_celery_queue_oldest_seconds", meaning, ("queue",), oldest),
    ]


def _messages() -> list[Figures]:
    meaning = "Messages that wait in price queues and their dead-letter queues, about"
    return [Figures("coruscant_sqs_queue_depth", meaning, ("queue",), depth.depths().items())]


_OUTSIDE: Mapping[str, Callable[[], list[Figures]]] = {"cache": _processes, "broker": _tasks, "sqs": _messages}


def _ask_database(found: list[GaugeMetricFamily]) -> None:
    """Add the figures part by part: one that fails, or takes too long, keeps no other back. Raises its error then."""
    until, failure = time.monotonic() + DEADLINE_SECONDS, None
    alone = {**books.parts(), "recent": recent.figures}
    for name, part in {**alone, "remembered": books.remembered}.items():
        if time.monotonic() > until:  # nobody waits for the rest
            raise TimeoutError
        try:
            with statements.within(STATEMENT_SECONDS) if name in alone else nullcontext():
                for family in families(part()):
                    found.append(family)
        except Error as error:
            log.warning("metrics_incomplete", part=name, error=str(error))
            failure = error
    if failure:
        raise failure


def _ask_outside(found: list[GaugeMetricFamily], ask: Callable[[], list[Figures]]) -> None:
    found += list(families(ask()))


class _Everything(Collector):
    def collect(self) -> Iterator[GaugeMetricFamily]:
        found: list[GaugeMetricFamily] = []
        questions = {"database": partial(_ask_database, found)} | {
            name: partial(_ask_outside, found, ask) for name, ask in _OUTSIDE.items()
        }
        asked = at_once.ask(questions, DEADLINE_SECONDS)
        yield from tuple(found)
        answered = {}
        for name, answer in asked.items():
            failure = answer.exception() if answer.done() else TimeoutError()
            answered[name] = failure is None
            if failure:
                log.warning("metrics_incomplete", part=name, error=repr(failure))
        meaning = "1 for each store that answered all questions of this scrape"
        yield from families([Figures("coruscant_scrape_answered", meaning, ("store",), answered.items())])


_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Everything())


@never_cache
def metrics_view(request: HttpRequest) -> HttpResponse:
    """The present figures in Prometheus' text format."""
    if refused := refuse_writes(request):
        return refused
    text = generate_latest(_registry)
    try:
        text += http_requests.exposition()
    except (OSError, ValueError) as error:  # the folder of the processes' counts is gone, or half written
        log.warning("metrics_incomplete", part="http_requests", error=str(error))
    return HttpResponse(text, content_type=CONTENT_TYPE_LATEST)
