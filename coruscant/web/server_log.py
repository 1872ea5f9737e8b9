"""gunicorn's log in the form of the service's own, with one line a request that quotes nothing a client chose."""

from datetime import timedelta
from logging.config import dictConfig
from typing import Any

import structlog
from gunicorn.glogging import Logger

from coruscant import environment, logging

#: Where a request's environment has the template of its path, such as `loans/<loan_id:loanId>`.
ROUTE = "coruscant.route"
#: Where it has the id of the call, which its answer carries.
CALL_ID = "coruscant.call_id"

log = structlog.get_logger("gunicorn.access")


class ServiceLogger(Logger):  # type: ignore[misc]
    """Gives what gunicorn logs to the handlers of the service, from the first line on."""

    def setup(self, cfg: Any) -> None:
        """Called by gunicorn before it reads any code of the service's, which then configures the log once more."""
        super().setup(cfg)
        dictConfig(logging.configuration(environment.of_the_service()))
        for logger in (self.error_log, self.access_log):
            logger.handlers.clear()
            logger.propagate = True

    def access(self, resp: Any, req: Any, environ: dict[str, Any], request_time: timedelta) -> None:
        """Log a request by the template of its path: a path may hold a name, and parameters may hold a borrower's."""
        if self.access_log_enabled:
            log.info(
                "http_request",
                method=environ["REQUEST_METHOD"],
                route=environ.get(ROUTE),
                code=int(str(resp.status).split()[0]),
                bytes=getattr(resp, "sent", None),
                seconds=request_time.total_seconds(),
                client=environ.get("REMOTE_ADDR"),
                http_request_id=environ.get(CALL_ID),
            )
