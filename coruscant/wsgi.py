"""The WSGI application for gunicorn."""

import os

from django.core.wsgi import get_wsgi_application

from coruscant.startup import log_start

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coruscant.settings")

application = get_wsgi_application()
log_start("web")
