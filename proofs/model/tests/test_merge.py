"""Merging states hides none: what a check without it reaches stands for a state that the check with it reaches."""

from dataclasses import replace

import pytest

from proofs.model.__main__ import SMALL
from proofs.model.check import alike, beginning, check
from proofs.model.merge import merged
from proofs.model.rules import Model
from proofs.model.state import IDLE
from proofs.model.steps import steps

BOUNDS = [
    replace(SMALL, sends=2, restore=False),
    pytest.param(replace(SMALL, sends=3, release=False), marks=[pytest.mark.proof, pytest.mark.timeout(600)]),
]


def reached(bounds):
    """Every state that can be reached."""
    model = Model(bounds=bounds)
    seen = {beginning(model)}
    waiting = list(seen)
    while waiting:
        for _step, after in steps(model, waiting.pop()):
            if (after := alike(after)) not in seen:
                seen.add(after)
                waiting.append(after)
    return seen


def mirrored(state):
    """The same with the markets' names exchanged: both are of one kind here, and the check places first at market 0."""

    def other(thing):
        return thing._replace(market=1 - thing.market)

    def books(kept):
        missing = tuple(sorted(1 - market for market in kept.missing))
        return kept._replace(orders=tuple(map(other, kept.orders)), missing=missing)

    return state._replace(
        books=books(state.books),
        backup=state.backup and books(state.backup),
        known=tuple(sorted(map(other, state.known))),
        workers=tuple(worker if worker.stage == IDLE else other(worker) for worker in state.workers),
        excused=tuple(sorted((1 - market, number) for market, number in state.excused)),
    )


@pytest.mark.parametrize("bounds", BOUNDS)
def test_every_state_stands_for_a_state_that_the_check_looks_at(bounds):
    looked_at = reached(bounds)
    everything = reached(replace(bounds, fold=False))
    assert len(everything) > 2 * len(looked_at)
    images = {merged(Model(bounds=bounds), state) for state in everything}
    assert not {image for image in images if alike(image) not in looked_at and alike(mirrored(image)) not in looked_at}


def test_without_merging_nothing_is_found_either():
    assert check(Model(bounds=replace(SMALL, sends=2, restore=False, fold=False))).holds
