"""A sequence of choices in place of a seed, drawn up front, so that Hypothesis can shrink what breaks a promise."""

import random
from collections.abc import Iterable, MutableSequence, Sequence
from typing import Any

#: More than a schedule decides, for the most part: a quiet one some hundred times, the first of which prepare it.
LENGTH = 1024
#: Beyond the number of ways in which any decision can go.
WAYS = 256


class Tape:
    """So many entries; each decision takes the next one. 0 is the quiet choice, and so is all after the end."""

    def __init__(self, entries: Sequence[int] = ()) -> None:
        """Entries from 0 to 255, at most `LENGTH`."""
        self.entries = tuple(entries)[:LENGTH]
        #: How many decisions have been made.
        self.read = 0

    @classmethod
    def of(cls, loud: Iterable[tuple[int, int]]) -> "Tape":
        """A tape that is quiet but for these (position, entry)."""
        entries = [0] * LENGTH
        for position, entry in loud:
            entries[position] = entry
        return cls(entries)

    @classmethod
    def parse(cls, text: str) -> "Tape":
        """The reverse of `str`. Raises ValueError."""
        loud = [tuple(map(int, pair.split(":"))) for pair in text.split()]
        if any(len(pair) != 2 or not (0 <= pair[0] < LENGTH and 0 <= pair[1] < WAYS) for pair in loud):
            raise ValueError(f"a tape is written as POSITION:ENTRY …, up to {LENGTH - 1}:{WAYS - 1}")
        return cls.of((position, entry) for position, entry in loud)

    def __str__(self) -> str:
        """The loud entries only: `12:1 700:3`."""
        return " ".join(f"{position}:{entry}" for position, entry in self.loud)

    @property
    def loud(self) -> list[tuple[int, int]]:
        """The entries that are not quiet, as (position, entry)."""
        return [(position, entry) for position, entry in enumerate(self.entries) if entry]

    def next(self) -> int:
        """The entry for the next decision."""
        entry = self.entries[self.read] if self.read < len(self.entries) else 0
        self.read += 1
        return entry


class TapeRandom(random.Random):
    """A random generator whose answers come from a tape.

    A chance comes true if the entry is not 0, however unlikely it is by seed. Of several things 0 takes the first.
    """

    def __init__(self, tape: Tape) -> None:
        """Ids need not be decided: they come from a generator of their own."""
        super().__init__(0)
        self.tape = tape

    def random(self) -> float:
        """Just below 1 for the quiet entry, so that nothing comes true that is not certain; else 0."""
        return 0.0 if self.tape.next() else 1 - 2**-53

    def choice(self, seq: Any) -> Any:
        """The first for the quiet entry."""
        return seq[self.tape.next() % len(seq)]

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        """0 for the quiet entry; only `randrange(n)` is asked for."""
        if stop is not None or step != 1:
            raise NotImplementedError("the simulation asks for randrange(n) only")
        return self.tape.next() % start

    def uniform(self, a: float, b: float) -> float:
        """Half-way for the quiet entry."""
        return a + (b - a) * ((self.tape.next() + WAYS // 2) % WAYS) / WAYS

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Nothing moves for the quiet entry."""
        if entry := self.tape.next():
            x[:] = random.Random(entry).sample(list(x), len(x))
