"""What waits because of a restore, and how that shows from outside."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from coruscant import clock, history
from coruscant.restores import holds, identity
from coruscant.restores.models import DatabaseIdentity, Restore

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def restore():
    with history.cause("test", correlation_id="restore"):
        return Restore.objects.create(since=clock.now(), begun_at=clock.now(), begun_by="Leia")


def release(restore, **columns):
    with history.cause("test", correlation_id="restore"):
        Restore.objects.filter(pk=restore.pk).update(**columns)


def test_claims_are_held_until_they_are_released_and_for_prices_from_before(restore):
    now = clock.now()
    assert holds.claims_are_held(now + timedelta(days=1))
    release(restore, claims_released_at=now, claims_released_by="Leia and Han")
    assert holds.claims_are_held(now)
    assert not holds.claims_are_held(now + timedelta(microseconds=1))


def test_statements_must_reach_around_a_restore_by_any_clock_and_until_the_last_call_is_over(restore, settings):
    settings.LEASE_SECONDS, settings.MARKET_TIMEOUT_SECONDS = 15, Decimal("4.5")
    noon = datetime(2026, 11, 26, 12, tzinfo=UTC)
    restore.since, restore.begun_at = noon + timedelta(microseconds=1), noon + timedelta(minutes=5)
    assert holds.statements_cover(restore) == (
        noon - timedelta(minutes=1),
        noon + timedelta(minutes=6, seconds=20),  # 19.5, in whole seconds
    )


def test_without_a_restore_nothing_is_held():
    assert not holds.claims_are_held(clock.now())
    assert holds.uncompared() is None
    holds.require_none()


def test_the_service_stays_ready_and_says_what_is_held(restore, client):
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "degraded")
    assert answer.json()["checks"]["restore"] == "failing"
    now = clock.now()
    release(restore, claims_released_at=now, claims_released_by="Leia and Han", compared_at=now)
    assert "restore" not in client.get("/health/ready").json()["checks"]


def test_the_service_stays_ready_while_the_database_is_not_the_accepted_one(client):
    identity.accept("Leia")
    assert client.get("/health/ready").json()["status"] == "ok"
    DatabaseIdentity.objects.update(timeline=0)
    answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["checks"]["restore"]) == (200, "failing")
