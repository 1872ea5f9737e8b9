"""A clean database for every test.

Tests that commit cannot be cleaned by flushing, since the history tables refuse TRUNCATE even from tests: their
database is dropped and cloned from the migrated template again.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from django.db import connections
from hypothesis import settings
from redis import Redis

from local.stack import EmbeddedStack
from local.stack.sns_sqs import SnsSqsServer
from proofs.service.copies import fresh_copy
from tests.stack import STACK

#: For `make proofs-quick` and `make exactness`: four and twenty times the usual examples.
settings.register_profile("longer", max_examples=400)
settings.register_profile("long", max_examples=2000)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long tests come first: at the end only short ones are left to be shared between processes."""
    items.sort(key=lambda item: item.get_closest_marker("system") is None)


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> EmbeddedStack:
    """The run's embedded stack."""
    return request.config.stash[STACK]


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any, stack: EmbeddedStack) -> Iterator[None]:
    """Keep a template of the freshly migrated test database, and clone it after every test that commits."""
    from django.test import TransactionTestCase  # noqa: PLC0415  (needs the settings)

    database = connections["default"].settings_dict["NAME"]
    assert database.startswith("test_"), f"refusing to replace {database}"
    template = f"{database}_template"
    connections.close_all()
    fresh_copy(stack, database=template, template=database)

    def take_a_new_database(self: TransactionTestCase) -> None:
        connections.close_all()
        fresh_copy(stack, database=database, template=template)

    original = TransactionTestCase._fixture_teardown  # type: ignore[attr-defined]
    TransactionTestCase._fixture_teardown = take_a_new_database  # type: ignore[attr-defined]
    yield
    TransactionTestCase._fixture_teardown = original  # type: ignore[attr-defined]


@pytest.fixture(scope="session", autouse=True)
def cache_is_cleared_by_an_administrator(request: pytest.FixtureRequest) -> Iterator[None]:
    """`cache.clear()` is for tests alone: the cache's own user may not empty a database."""
    from coruscant.redis_cache import SealedRedisCache  # noqa: PLC0415  (needs the settings)

    stack = request.config.stash[STACK]  # a folder of tests may have a fixture `stack` of its own
    with Redis.from_url(stack.valkey.administrator_url(1)) as administrator, pytest.MonkeyPatch.context() as patch:
        patch.setattr(SealedRedisCache, "clear", lambda _self: administrator.flushdb())
        yield


@pytest.fixture
def intruder(stack: EmbeddedStack) -> Iterator[Redis]:
    """The connection to the cache's Redis that somebody else would have who may do everything there."""
    with Redis.from_url(stack.valkey.administrator_url(1)) as connection:
        yield connection


@pytest.fixture
def clean_cache() -> Iterator[None]:
    """An empty cache before and after the test."""
    from django.core.cache import cache  # noqa: PLC0415

    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def asked_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is asked at once be asked by the test's own thread: no other sees the rows that it has not committed."""
    from coruscant import at_once  # noqa: PLC0415

    def ask(questions: Mapping[str, Callable[[], Any]], _seconds: float) -> dict[str, Future[Any]]:
        asked = {name: Future[Any]() for name in questions}
        for name, question in questions.items():
            try:
                asked[name].set_result(question())
            except Exception as error:
                asked[name].set_exception(error)
        return asked

    monkeypatch.setattr(at_once, "ask", ask)


@pytest.fixture
def emulator(tmp_path: Path, settings: Any, clean_cache: None) -> Iterator[SnsSqsServer]:
    """An SNS and SQS of the test's own, empty, in which what is forgotten is made again unasked. May be killed."""
    from coruscant import aws, outbox  # noqa: PLC0415
    from pricing.ingest import queue  # noqa: PLC0415

    def forget() -> None:
        for found in (aws._client, outbox.topic_arn, queue.queue_url):
            found.cache_clear()

    server = SnsSqsServer(tmp_path / "sns-sqs", tmp_path)
    server.start()
    settings.AWS_ENDPOINT_URL, settings.PROVISION_AGAIN = server.endpoint_url, True
    forget()
    yield server
    server.stop()
    forget()
