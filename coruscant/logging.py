"""Structured logs: one event a line, with the ids that tie a line to its request, loan and order."""

import logging
from typing import Any

import structlog

from coruscant.environment import Environment

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]
# One list for the process: a logger keeps the list that it was first used with, and whoever captures logs changes it.
_PROCESSORS: list[Any] = [
    structlog.stdlib.filter_by_level,
    *_SHARED,
    structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
]


def configuration(env: Environment) -> dict[str, Any]:
    """Django's LOGGING by LOG_FORMAT (`json`: one object a line; `console`: for a person's eyes) and LOG_LEVEL.

    Python's warnings join it.
    """
    form = env.one_of("LOG_FORMAT", "json", ("json", "console"))
    level = env.text("LOG_LEVEL", default="INFO").upper()
    if level not in logging.getLevelNamesMapping():
        env.refuse("LOG_LEVEL", f"must be one of {', '.join(logging.getLevelNamesMapping())}, not {level!r}")
    logging.captureWarnings(capture=True)
    structlog.configure(
        processors=_PROCESSORS,
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    renderers: list[Any] = [structlog.dev.ConsoleRenderer(colors=False)]
    if form == "json":
        # Without local variables: they hold credentials, and printing a lazy one would evaluate it.
        transform = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
        renderers = [structlog.processors.ExceptionRenderer(transform), structlog.processors.JSONRenderer()]
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderers],
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "botocore": {"level": "WARNING"},
            "urllib3": {"level": "ERROR"},
            # A request or a task that goes well has no line of its own.
            "django_structlog": {"level": "WARNING"},
            "celery.app.trace": {"level": "WARNING"},
            # Expired ticks and retried sales are part of every day.
            "django_structlog.celery.receivers": {"level": "ERROR"},
            "celery.worker.strategy": {"level": "WARNING"},
            "celery.worker.request": {"level": "WARNING"},
            "celery.beat": {"level": "WARNING"},
        },
    }
