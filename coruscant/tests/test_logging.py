"""The configuration of the log."""

import structlog
from structlog.testing import capture_logs

from coruscant import environment
from coruscant.logging import configuration


def test_a_logger_that_is_in_use_follows_when_the_log_is_configured_again():
    """As it is where the settings are run again: its lines must not go where nobody looks."""
    log = structlog.get_logger("test")
    log.info("used")
    configuration(environment.of_the_service())
    with capture_logs() as logged:
        log.warning("after")
    assert [line["event"] for line in logged] == ["after"]
