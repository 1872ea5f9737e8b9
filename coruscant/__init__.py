"""The project: settings, Celery, URLs, and the few things every app shares."""

from coruscant.celery import app as celery_app

__all__ = ["celery_app"]
