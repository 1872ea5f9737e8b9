"""Pytest plugin: an embedded stack for each process that runs tests, started before Django reads its settings.

With `-n` every worker of pytest-xdist has a stack of its own, so that queues, broker and cache are shared by no two
tests that run at once. The process that only hands out tests starts none.
"""

import os
from pathlib import Path

import pytest

from local.stack import EmbeddedStack
from local.stack.errors import EmbeddedStackError
from pricing.markets import Market

ROOT = Path(__file__).resolve().parent.parent
STACK = pytest.StashKey[EmbeddedStack]()

SETTINGS = {
    "DEBUG": "false",
    "DEMO": "true",
    "INSTALLATION_NAMESPACE": "6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11",
    "SECRET_KEY": "a secret for tests, long enough to be accepted",
    "ALLOWED_HOSTS": "testserver,localhost,127.0.0.1",
    "API_ALLOW_ANONYMOUS": "true",
    **{f"{market.name}_URL": f"http://{market.value.replace('_', '-')}.test" for market in Market},
    "DOTENV": os.devnull,
}
#: For the process that hands out tests: Django must be able to read its settings, and nothing is contacted.
NOWHERE = {
    "DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing",
    "CACHE_URL": "redis://127.0.0.1:1/1",
    "CELERY_BROKER_URL": "redis://127.0.0.1:1/0",
}


def _start() -> EmbeddedStack:
    worker = os.environ.get("PYTEST_XDIST_WORKER")
    folder = ROOT / ".local" / (f"tests-{worker}" if worker else "tests")
    try:
        stack = EmbeddedStack(folder=folder, durable=False)
        stack.start()
    except EmbeddedStackError as error:
        if "in use" not in str(error):
            raise
        stack = EmbeddedStack(folder=folder.with_name(f"{folder.name}-{os.getpid()}"), durable=False)
        stack.start()
    return stack


def _only_hands_out_tests(config: pytest.Config) -> bool:
    return "PYTEST_XDIST_WORKER" not in os.environ and bool(getattr(config.known_args_namespace, "numprocesses", None))


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """Start the stack before pytest-django reads the settings."""
    if "--help" in early_config.invocation_params.args or "--version" in early_config.invocation_params.args:
        return
    if _only_hands_out_tests(early_config):
        os.environ.update(SETTINGS | NOWHERE)
        return
    stack = _start()
    early_config.stash[STACK] = stack
    early_config.add_cleanup(stack.stop)
    os.environ.update(SETTINGS | stack.owner_environment)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say what is deselected by default, and where it runs."""
    return (
        "deselected: the long proofs, which make proofs-quick runs" if config.option.markexpr == "not proof" else None
    )
