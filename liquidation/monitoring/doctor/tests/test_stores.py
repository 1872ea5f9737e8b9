"""Database, Redis, clocks and disk: each is found wrong when it is."""

import shutil
from collections import namedtuple
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.db import connection

from coruscant import clock
from coruscant.celery import app
from liquidation.monitoring.doctor import stores
from liquidation.monitoring.doctor.trouble import Trouble

pytestmark = pytest.mark.django_db


def trouble(check):
    with pytest.raises(Trouble) as raised:
        check()
    assert raised.value.remedy
    return raised.value.found


def test_a_migration_that_is_missing_is_named():
    assert stores.migrations_are_applied() == "all applied"
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'liquidation'")
    assert "such as liquidation.0001" in trouble(stores.migrations_are_applied)


def test_a_trigger_that_is_missing_is_named():
    assert stores.database_checks_pass()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE loans_loan DISABLE TRIGGER USER")
    assert "history.E001" in trouble(stores.database_checks_pass)


def test_a_role_that_owns_tables_is_named():
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE owned_by_whoever_serves (id int)")
    assert "so it can drop their triggers" in trouble(stores.role_has_no_more_than_it_needs)


def test_a_cache_that_keeps_nothing_is_found(monkeypatch, clean_cache):
    monkeypatch.setattr(cache, "get", lambda _key: None)
    assert trouble(stores.cache_answers) == "It keeps nothing that it is given."


def test_a_broker_that_drops_tasks_when_it_is_full_is_found():
    with app.connection_for_write() as broker:
        client = broker.default_channel.client
        client.config_set("maxmemory-policy", "allkeys-lru")
        client.config_set("maxmemory", "512mb")
        try:
            assert (
                trouble(without_users(stores.broker_answers)) == "Its maxmemory-policy is allkeys-lru: it drops tasks."
            )
        finally:
            client.config_set("maxmemory", "0")
            client.config_set("maxmemory-policy", "noeviction")


def without_users(check):
    """The same check, where nothing is said of Redis' users."""

    def checked():
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(stores, "_look_at_redis", lambda _client: None)
            return check()

    return checked


def test_a_redis_user_who_may_do_everything_is_named(clean_cache):
    assert trouble(stores.cache_answers) == "Its user is `default`, who may do everything."
    assert trouble(stores.broker_answers) == "Its user is `default`, who may do everything."
    assert without_users(stores.cache_answers)() == "reads what was written"
    assert without_users(stores.broker_answers)() == "answers"


def test_a_database_whose_clock_is_behind_is_found(emulator):
    assert stores.clocks_agree()
    read = clock.now
    with clock.driven_by(lambda: read_database() - timedelta(seconds=5)):
        found = trouble(stores.clocks_agree)
    assert read is clock.now
    for name in ("this machine", "Redis", "SQS"):
        assert f"{name} differs by" in found


def read_database():
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def test_a_disk_that_is_full_is_found(monkeypatch):
    assert "MiB free" in stores.disk_has_room()
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _folder: usage(100 * 1024**3, 99 * 1024**3, 1024**3))
    assert trouble(stores.disk_has_room).startswith("1024 of 102400 MiB are free")
