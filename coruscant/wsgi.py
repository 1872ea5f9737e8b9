"""The WSGI application for gunicorn."""

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application

from coruscant import arming

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coruscant.settings")

application = get_wsgi_application()
arming.arm(settings.FAILPOINT_SIGNAL)
