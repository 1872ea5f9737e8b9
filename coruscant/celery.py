"""The Celery application: queues, routes and schedule are in the settings."""

import os
import time
from logging.config import dictConfig
from typing import Any

from celery import Celery
from celery.signals import (
    beat_init,
    before_task_publish,
    setup_logging,
    task_postrun,
    task_prerun,
    worker_init,
    worker_ready,
)
from django.conf import settings
from django.db import close_old_connections
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.transport import TRANSPORT_ALIASES

from coruscant import startup
from coruscant.watchdog import WatchedConsumer

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coruscant.settings")

#: The header of a message that says when it was sent (Unix, s).
SENT_AT = "sent_at"

# Redis is not trusted (docs/decisions/0031). A URL names a transport by its scheme, and kombu knows no other way.
TRANSPORT_ALIASES.update(
    redis="coruscant.broker:Transport",
    rediss="coruscant.broker:Transport",
)
app = Celery("coruscant")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.steps["consumer"].add(WatchedConsumer)
app.autodiscover_tasks()


@setup_logging.connect
def _keep_our_logging(**_signal: Any) -> None:
    """Workers and beats log as the settings say; Celery would set the root logger's level to its own default."""
    dictConfig(settings.LOGGING)


@worker_init.connect
def _refuse_to_work(**_signal: Any) -> None:
    startup.require_secrets()
    startup.require_safe_database()


@worker_ready.connect
def _say_that_a_worker_runs(**_signal: Any) -> None:
    startup.log_start("worker")


@beat_init.connect
def _say_that_a_beat_runs(**_signal: Any) -> None:
    startup.log_start("beat")


@before_task_publish.connect
def _say_when_it_was_sent(headers: dict[str, Any], **_signal: Any) -> None:
    headers[SENT_AT] = time.time()


@task_prerun.connect
@task_postrun.connect
def _let_go_of_old_connections(**_signal: Any) -> None:
    """As for a web request: one that is too old or has met an error is closed, and the next statement looks first."""
    close_old_connections()
