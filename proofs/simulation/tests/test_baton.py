"""One actor at a time, whatever the database makes them wait for."""

import pytest
from django.db import connection, transaction

from pricing.models import Feed
from proofs.simulation.baton import State, here
from proofs.simulation.world import World

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def feed(database):
    return Feed.objects.create(market="mos_espa")


@pytest.fixture
def world(crew):
    """A world without faults, in which every point hands the baton on."""
    crew.world = World(1)
    crew.world.faults.calm = True
    crew.world.faults.switch = 1.0
    return crew.world


def add_one(feed):
    def job():
        with transaction.atomic():
            found = Feed.objects.select_for_update().get(pk=feed.pk)
            here().reach("locked")
            found.pruned += 1
            found.save(update_fields=["pruned"])

    return job


def play(crew):
    while crew.busy:
        crew.step(crew.ready[0])


def test_who_waits_for_a_lock_hands_the_baton_back_and_goes_on_when_granted(crew, world, feed):
    one, two, _three = crew.actors
    one.take("one", add_one(feed))
    two.take("two", add_one(feed))
    crew.step(one)
    crew.step(two)
    assert (one.state, two.state) == (State.READY, State.BLOCKED)
    crew.step(one)
    crew.step(one)
    assert two.state is State.BLOCKED, "before the commit"
    crew.step(one)
    assert (one.state, two.state) == (State.IDLE, State.GRANTED)
    play(crew)
    feed.refresh_from_db()
    assert feed.pruned == 2
    assert not world.violations
    assert sum("waits for a lock" in line for line in world.trace) == 1


def test_a_killed_actor_leaves_nothing_behind(crew, world, feed):
    actor = crew.actors[0]
    actor.take("doomed", add_one(feed))
    crew.step(actor)
    crew.step(actor)
    actor.killed = True
    crew.step(actor)
    assert actor.state is State.IDLE
    feed.refresh_from_db()
    assert feed.pruned == 0
    actor.take("heir", add_one(feed))
    play(crew)
    feed.refresh_from_db()
    assert feed.pruned == 1


def test_a_killed_actor_cannot_write_while_it_unwinds(crew, world, feed):
    def job():
        try:
            here().reach("alive")
        finally:
            Feed.objects.filter(pk=feed.pk).update(pruned=7)

    actor = crew.actors[0]
    actor.take("doomed", job)
    crew.step(actor)
    actor.killed = True
    crew.step(actor)
    feed.refresh_from_db()
    assert feed.pruned == 0


def test_a_deadlock_is_seen_and_resolved(crew, world, feed):
    other = Feed.objects.create(market="black_spire_outpost")

    def lock_both(first, second):
        def job():
            with transaction.atomic():
                Feed.objects.select_for_update().get(pk=first.pk)
                here().reach("first")
                Feed.objects.select_for_update().get(pk=second.pk)

        return job

    one, two, _three = crew.actors
    one.take("one", lock_both(feed, other))
    two.take("two", lock_both(other, feed))
    for actor in (one, two, one, two):
        crew.step(actor)
    assert (one.state, two.state) == (State.BLOCKED, State.BLOCKED)
    crew.resolve_deadlock()
    play(crew)
    assert any("deadlock" in violation for violation in world.violations)


def test_an_error_of_a_job_is_blamed(crew, world, feed):
    def job():
        raise ValueError("what is this?")

    crew.actors[0].take("clumsy", job)
    play(crew)
    assert world.violations == ["no task fails: clumsy: ValueError: what is this?"]
    assert not connection.in_atomic_block
