"""Pytest plugin: one embedded stack for the whole run, started before Django reads its settings."""

import os
from pathlib import Path

import pytest

from local.stack import EmbeddedStack
from local.stack.errors import EmbeddedStackError

ROOT = Path(__file__).resolve().parent.parent
STACK = pytest.StashKey[EmbeddedStack]()

SETTINGS = {
    "DEBUG": "false",
    "SECRET_KEY": "a secret for tests, long enough to be accepted",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "API_ALLOW_ANONYMOUS": "true",
    "MOS_ESPA_URL": "http://mos-espa.test",
    "BLACK_SPIRE_OUTPOST_URL": "http://black-spire-outpost.test",
    "DOTENV": os.devnull,
}


def _start() -> EmbeddedStack:
    folder = ROOT / ".local" / "tests"
    try:
        stack = EmbeddedStack(folder=folder, durable=False)
        stack.start()
    except EmbeddedStackError as error:
        if "in use" not in str(error):
            raise
        stack = EmbeddedStack(folder=folder.with_name(f"tests-{os.getpid()}"), durable=False)
        stack.start()
    return stack


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the stack before pytest-django reads the settings."""
    if "--help" in early_config.invocation_params.args or "--version" in early_config.invocation_params.args:
        return
    stack = _start()
    early_config.stash[STACK] = stack
    early_config.add_cleanup(stack.stop)
    os.environ.update(SETTINGS | stack.environment)
