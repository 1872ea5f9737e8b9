"""Database, Redis, clocks and disk: each is found wrong when it is."""

import shutil
from collections import namedtuple
from datetime import timedelta
from functools import partial

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


def test_redis_whose_users_are_those_of_the_deployment_is_well(clean_cache):
    assert stores.cache_answers() == "reads what was written"
    assert stores.broker_answers() == "answers"


def test_a_broker_that_drops_tasks_when_it_is_full_is_found(intruder):
    intruder.config_set("maxmemory-policy", "allkeys-lru")
    intruder.config_set("maxmemory", "512mb")
    try:
        assert trouble(stores.broker_answers) == "Its maxmemory-policy is allkeys-lru: it drops tasks."
    finally:
        intruder.config_set("maxmemory", "0")
        intruder.config_set("maxmemory-policy", "noeviction")


def test_a_redis_user_who_may_do_everything_is_named(intruder, stack, settings, monkeypatch):
    address = f"redis://{stack.valkey.host}:{stack.valkey.port}"
    settings.CACHES = {"default": settings.CACHES["default"] | {"LOCATION": f"{address}/1"}}
    monkeypatch.setattr(app, "connection_for_write", partial(app.connection_for_write, f"{address}/0"))
    intruder.execute_command("ACL", "SETUSER", "default", "on", "nopass", "allkeys", "allchannels", "+@all")
    try:
        assert trouble(stores.cache_answers) == "Its user is `default`, who may do everything."
        assert trouble(stores.broker_answers) == "Its user is `default`, who may do everything."
    finally:
        intruder.execute_command("ACL", "LOAD")


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
