"""One actor at a time, whatever the database makes them wait for."""

import pytest
from django.db import connection, transaction

from pricing.models import Feed
from proofs.simulation.actor import State, current_actor
from proofs.simulation.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed(database):
    return Feed.objects.create(market="mos_espa")


@pytest.fixture
def world(scheduler):
    """A world without faults, in which a turn ends at every point."""
    scheduler.world = World(1)
    scheduler.world.faults.calm = True
    scheduler.world.faults.switch = 1.0
    return scheduler.world


def add_one(feed):
    def job():
        with transaction.atomic():
            found = Feed.objects.select_for_update().get(pk=feed.pk)
            current_actor().reach("locked")
            found.pruned += 1
            found.save(update_fields=["pruned"])

    return job


def play(scheduler):
    while scheduler.busy:
        scheduler.step(scheduler.ready[0])


def test_who_waits_for_a_lock_ends_its_turn_and_goes_on_when_granted(scheduler, world, feed):
    one, two, _three = scheduler.actors
    one.take("one", add_one(feed))
    two.take("two", add_one(feed))
    scheduler.step(one)
    scheduler.step(two)
    assert (one.state, two.state) == (State.READY, State.BLOCKED)
    scheduler.step(one)
    scheduler.step(one)
    assert two.state is State.BLOCKED, "before the commit"
    scheduler.step(one)
    assert (one.state, two.state) == (State.IDLE, State.GRANTED)
    play(scheduler)
    feed.refresh_from_db()
    assert feed.pruned == 2
    assert not world.violations
    assert sum("waits for a lock" in line for line in world.trace) == 1


def test_a_killed_actor_leaves_nothing_behind(scheduler, world, feed):
    actor = scheduler.actors[0]
    actor.take("doomed", add_one(feed))
    scheduler.step(actor)
    scheduler.step(actor)
    actor.killed = True
    scheduler.step(actor)
    assert actor.state is State.IDLE
    feed.refresh_from_db()
    assert feed.pruned == 0
    actor.take("heir", add_one(feed))
    play(scheduler)
    feed.refresh_from_db()
    assert feed.pruned == 1


def test_a_killed_actor_cannot_write_while_it_unwinds(scheduler, world, feed):
    def job():
        try:
            current_actor().reach("alive")
        finally:
            Feed.objects.filter(pk=feed.pk).update(pruned=7)

    actor = scheduler.actors[0]
    actor.take("doomed", job)
    scheduler.step(actor)
    actor.killed = True
    scheduler.step(actor)
    feed.refresh_from_db()
    assert feed.pruned == 0


def test_a_deadlock_is_seen_and_resolved(scheduler, world, feed):
    other = Feed.objects.create(market="black_spire_outpost")

    def lock_both(first, second):
        def job():
            with transaction.atomic():
                Feed.objects.select_for_update().get(pk=first.pk)
                current_actor().reach("first")
                Feed.objects.select_for_update().get(pk=second.pk)

        return job

    one, two, _three = scheduler.actors
    one.take("one", lock_both(feed, other))
    two.take("two", lock_both(other, feed))
    for actor in (one, two, one, two):
        scheduler.step(actor)
    assert (one.state, two.state) == (State.BLOCKED, State.BLOCKED)
    scheduler.resolve_deadlock()
    play(scheduler)
    assert any("deadlock" in violation for violation in world.violations)


def test_an_error_of_a_job_is_blamed(scheduler, world, feed):
    def job():
        raise ValueError("what is this?")

    scheduler.actors[0].take("clumsy", job)
    play(scheduler)
    assert world.violations == ["no task fails: clumsy: ValueError: what is this?"]
    assert not connection.in_atomic_block
