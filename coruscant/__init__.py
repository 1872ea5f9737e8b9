"""The Django project: settings, Celery, URLs, and the modules that every app shares.

Every app may import the shared modules; they import no app. Only settings, URLs and the entry points know the apps.
Its command is `manage.py check --database default`: settings, and the history triggers (`coruscant.history`).
"""

#: Of the service: the API's description, the log and the images name it. CONTRIBUTING.md says how it is raised.
__version__ = "1.0.0"

from coruscant.celery import app as celery_app

__all__ = ["__version__", "celery_app"]
