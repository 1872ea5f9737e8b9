"""How gunicorn works here, the same everywhere: `gunicorn --config python:coruscant.web.gunicorn_settings`.

How many processes and threads there are is in the command (local/processes.py).
"""

import os
import shutil
import tempfile
from typing import Any

worker_class = "coruscant.web.worker.WholeRequestWorker"
logger_class = "coruscant.web.server_log.ServiceLogger"
# Clients and load balancers keep an idle connection for a minute. One that is closed under them costs them a request.
keepalive = 75
# Of a process. Each may hold a body that has not arrived whole.
worker_connections = 500
# A thread that hands a file to the kernel would wait until the client has read it.
sendfile = False

# Where the processes count requests together (coruscant/monitoring/http_requests.py).
_COUNTS = "PROMETHEUS_MULTIPROC_DIR"


def on_starting(server: Any) -> None:
    """Refuse bad settings here, with one sentence. Of a worker that ends, gunicorn would start another, for ever."""
    os.environ[_COUNTS] = tempfile.mkdtemp(prefix="coruscant-metrics-")  # before anything imports prometheus_client
    if server.app.app_uri == "coruscant.wsgi":  # the benchmarks serve another one
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coruscant.settings")
        from coruscant import startup  # noqa: PLC0415  (needs the settings)

        startup.require_secrets()
        startup.require_safe_database()


def on_exit(_server: Any) -> None:
    """Take away what was counted."""
    shutil.rmtree(os.environ[_COUNTS], ignore_errors=True)
