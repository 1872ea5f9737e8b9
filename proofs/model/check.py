"""The check: every state that can be reached is looked at, the nearest first, so a counterexample is a shortest."""

import time
from array import array
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from proofs.model.promises import ALL_PROMISES, Promise, broken_by
from proofs.model.rules import Model
from proofs.model.state import Books, State, Worker
from proofs.model.steps import Step, is_an_end, steps, told


class TooManyStates(RuntimeError):
    """There are more states than were allowed."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a check found. `broken` is None where nothing was; `dead_end` says that no end can be reached any more."""

    model: Model
    states: int
    steps: int
    seconds: float
    #: How many steps the farthest state is away.
    depth: int
    broken: Promise | None = None
    dead_end: bool = False
    trace: tuple[Step, ...] = ()
    last: State | None = None

    @property
    def holds(self) -> bool:
        """Whether all promises hold, and an end can be reached from everywhere."""
        return self.broken is None and not self.dead_end

    def lines(self) -> list[str]:
        """The trace in words, one line a step, and what it breaks."""
        numbered = [f"{number:3d}. {told(step)}" for number, step in enumerate(self.trace, 1)]
        if self.dead_end:
            return [*numbered, "     DEAD END: from here the sale can neither be settled nor wait for a person"]
        return [*numbered, f"     BROKEN: {self.broken}"] if self.broken else numbered


def beginning(model: Model) -> State:
    """An active loan, idle workers, markets that know of nothing."""
    return State(Books(), (), (Worker(),) * model.bounds.workers)


def check(model: Model, promises: Collection[Promise] = ALL_PROMISES, *, at_most: int = 5_000_000) -> Found:
    """Look at every state, until a promise is broken; if none is, look for dead ends. Raises TooManyStates."""
    began = time.monotonic()
    first = beginning(model)
    numbers, states = {first: 0}, [first]
    parents, depths = array("l", [-1]), array("h", [0])
    sources, targets = array("l"), array("l")

    def found(broken: Promise | None, state: int | None) -> Found:
        path: list[State] = []
        while state is not None and state >= 0:
            path.append(states[state])
            state = parents[state]
        trace = _trace(model, path[::-1])
        if broken is not None:
            trace += [_breaking(model, trace[-1][1] if trace else first, broken)]
        return Found(
            model=model,
            states=len(states),
            steps=len(targets),
            seconds=time.monotonic() - began,
            depth=depths[-1],
            broken=broken,
            dead_end=broken is None and bool(path),
            trace=tuple(step for step, _state in trace),
            last=trace[-1][1] if trace else None,
        )

    number = 0
    while number < len(states):
        before = states[number]
        for step, reached in steps(model, before):
            broken = broken_by(model, before, step, reached)
            if broken is not None and broken in promises:
                return found(broken, number)
            after = alike(reached)
            seen = numbers.setdefault(after, len(states))
            if seen == len(states):
                states.append(after)
                parents.append(number)
                depths.append(depths[number] + 1)
            sources.append(number)
            targets.append(seen)
        if len(states) > at_most:
            raise TooManyStates(f"more than {at_most} states")
        number += 1
    return found(None, _dead_end(model, states, sources, targets))


def alike(state: State) -> State:
    """The one of several states that differ by which worker is which."""
    workers = tuple(sorted(state.workers))
    return state if workers == state.workers else state._replace(workers=workers)


def _trace(model: Model, path: Sequence[State]) -> list[tuple[Step, State]]:
    """The steps along a path of states, each with what it leads to; workers keep their numbers."""
    trace: list[tuple[Step, State]] = []
    state = path[0] if path else None
    for there in path[1:]:
        assert state is not None
        trace.append(next(taken for taken in steps(model, state) if alike(taken[1]) == there))
        state = trace[-1][1]
    return trace


def _breaking(model: Model, state: State, promise: Promise) -> tuple[Step, State]:
    """The step from a state that breaks a promise."""
    return next(taken for taken in steps(model, state) if broken_by(model, state, *taken) == promise)


def _dead_end(model: Model, states: list[State], sources: "array[int]", targets: "array[int]") -> int | None:
    """The nearest state from which no end can be reached: found by going back from all ends."""
    begins = array("l", bytes(8 * (len(states) + 1)))
    for target in targets:
        begins[target + 1] += 1
    for place in range(len(states)):
        begins[place + 1] += begins[place]
    free, before = array("l", begins), array("l", bytes(8 * len(targets)))
    for source, target in zip(sources, targets, strict=True):
        before[free[target]] = source
        free[target] += 1
    reached = bytearray(len(states))
    waiting = [number for number, state in enumerate(states) if is_an_end(model, state)]
    for number in waiting:
        reached[number] = 1
    while waiting:
        number = waiting.pop()
        for source in before[begins[number] : begins[number + 1]]:
            if not reached[source]:
                reached[source] = 1
                waiting.append(source)
    found = reached.find(0)
    return None if found < 0 else found
