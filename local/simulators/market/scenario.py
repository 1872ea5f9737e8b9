"""How a market's middle price moves: the same seed gives the same prices. Pure: no clock."""

import math
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from random import Random

LOWEST_PRICE = Decimal("0.01")
TICK = Decimal("0.0001")
CRASH_TO = Decimal("0.5")
CRASH_OVER_SECONDS = Decimal(10)
CRASH_AFTER_SECONDS = Decimal(20)
CYCLE_SECONDS = Decimal(60)


class Scenario(StrEnum):
    """How the price of a market moves."""

    CALM = "calm"
    VOLATILE = "volatile"
    CRASH = "crash"
    CYCLE = "cycle"
    SCRIPT = "script"


@dataclass(frozen=True, slots=True)
class _Volatility:
    """Noise per root second, its pull back to the base price per second, and the chance of a jump per second."""

    noise: float
    pull: float
    jumps: float
    jump_size: float


_VOLATILITIES = {
    Scenario.CALM: _Volatility(noise=0.0005, pull=0.1, jumps=0.0, jump_size=0.0),
    Scenario.VOLATILE: _Volatility(noise=0.008, pull=0.03, jumps=0.02, jump_size=0.04),
    Scenario.CRASH: _Volatility(noise=0.002, pull=0.1, jumps=0.0, jump_size=0.0),
    Scenario.CYCLE: _Volatility(noise=0.002, pull=0.1, jumps=0.0, jump_size=0.0),
}


@dataclass(frozen=True, slots=True)
class _Move:
    start: Decimal
    target: Decimal
    begins_at: Decimal
    over_seconds: Decimal

    def at(self, instant: Decimal) -> Decimal:
        if instant >= self.begins_at + self.over_seconds:
            return self.target
        done = max(Decimal(0), instant - self.begins_at) / self.over_seconds
        return self.start + (self.target - self.start) * done


@dataclass(frozen=True, slots=True)
class _Cycle:
    """Half of the time near `start`, then a crash, and back to `start`; once in CYCLE_SECONDS."""

    start: Decimal

    def at(self, instant: Decimal) -> Decimal:
        low = self.start * CRASH_TO
        second, falls, rises = instant % CYCLE_SECONDS, CYCLE_SECONDS / 2, CYCLE_SECONDS - CRASH_OVER_SECONDS
        if second < rises:
            return _Move(self.start, low, falls, CRASH_OVER_SECONDS).at(second)
        return _Move(low, self.start, rises, CRASH_OVER_SECONDS).at(second)


class ScenarioPrices:
    """A random walk around a base price, which is constant, on its way to another, or in a cycle."""

    def __init__(
        self, scenario: Scenario, start_price: Decimal, random: Random, *, elapsed: Decimal = Decimal(0)
    ) -> None:
        """Begin at `start_price` (GC per unit); a crash scenario crashes CRASH_AFTER_SECONDS later.

        `elapsed` is where in its cycle a scenario of cycles begins, in seconds: markets that count from the same
        instant rise and fall together.
        """
        self.scenario = scenario
        self._start_price = start_price
        self._random = random
        self._elapsed = elapsed
        self._deviation = 0.0
        self._base: _Move | _Cycle = _Move(start_price, start_price, elapsed, Decimal(0))
        if scenario is Scenario.CRASH:
            self._base = _Move(start_price, start_price * CRASH_TO, elapsed + CRASH_AFTER_SECONDS, CRASH_OVER_SECONDS)
        elif scenario is Scenario.CYCLE:
            self._base = _Cycle(start_price)

    def next(self, seconds: Decimal) -> Decimal:
        """Let so many seconds pass and return the middle price, in GC per unit."""
        self._elapsed += seconds
        volatility = _VOLATILITIES[self.scenario]
        passed = float(seconds)
        self._deviation += -volatility.pull * self._deviation * passed
        self._deviation += volatility.noise * math.sqrt(passed) * self._random.gauss(0, 1)
        if self._random.random() < volatility.jumps * passed:
            self._deviation += volatility.jump_size * self._random.choice((-1, 1))
        self._deviation = max(-0.3, min(0.3, self._deviation))
        factor = 1 + Decimal(f"{self._deviation:.8f}")
        return max(LOWEST_PRICE, (self._base.at(self._elapsed) * factor).quantize(TICK))

    def change(self, scenario: Scenario) -> None:
        """Follow another scenario from now on; a crash begins at once, and cycles go on as if they had never ended."""
        self.scenario = scenario
        if scenario is Scenario.CRASH:
            self.crash(CRASH_TO, CRASH_OVER_SECONDS)
        elif scenario is Scenario.CYCLE:
            self._base = _Cycle(self._start_price)

    def crash(self, to: Decimal, over_seconds: Decimal) -> None:
        """Fall to this share of the present base price over so many seconds."""
        self.move(self._base.at(self._elapsed) * to, over_seconds)

    def recover(self, over_seconds: Decimal) -> None:
        """Return to the start price."""
        self.move(self._start_price, over_seconds)

    def move(self, target: Decimal, over_seconds: Decimal) -> None:
        """Move the base price to `target` (GC per unit) over so many seconds."""
        self._base = _Move(self._base.at(self._elapsed), target, self._elapsed, over_seconds)
