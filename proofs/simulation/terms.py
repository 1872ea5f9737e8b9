"""Loan terms that change in the middle of a schedule: two people make new ones, and move open loans to them."""

from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpRequest

from coruscant.approvals.ask import ask
from coruscant.approvals.decide import agree
from coruscant.errors import DomainError
from liquidation.moves_two_people import MOVE
from loans.risk import Thresholds
from loans.terms_two_people import MAKE
from proofs.simulation.database import PEOPLE
from proofs.simulation.world import World

_NAMES = ("activation_ltv", "margin_call_ltv", "margin_call_clear_ltv", "liquidation_ltv")
_FIRST = ("0.5", "0.7", "0.6", "0.8")
#: Stricter than the first, and looser.
_SECOND = (("0.46", "0.65", "0.55", "0.75"), ("0.55", "0.75", "0.65", "0.85"))
#: The share of schedules in which terms change, and of these, of those in which loans are moved.
_CHANGE, _MOVE = 0.5, 0.8
#: Starts a job of this title, if anybody is idle.
Start = Callable[[str, Callable[[], None]], None]


class ChangingTerms:
    """What the oracle knows of the terms, and the two people who change them."""

    def __init__(self, world: World) -> None:
        """There is one version at first."""
        self.world = world
        self._second = _SECOND[0]
        #: How many loans were moved.
        self.moves = 0

    def ltvs(self, version: int) -> Thresholds:
        """The LTVs of a version, as it was asked for."""
        figures = map(Decimal, _FIRST if version == 1 else self._second)
        return Thresholds(**dict(zip(_NAMES, figures, strict=True)))

    def plan(self, seconds: float, start: Start) -> None:
        """Let terms change within so many seconds, in some schedules."""
        world, random = self.world, self.world.random
        if random.random() >= _CHANGE:
            return
        self._second = world.choice(_SECOND)
        world.after(world.seconds(0, seconds / 2), partial(start, "two people make terms", self._make))
        if random.random() < _MOVE:
            for _ in range(world.choice((2, 1, 3))):
                world.after(world.seconds(0, seconds), partial(start, "two people move loans", self._move))

    def _make(self) -> None:
        self._by_two(MAKE, dict(zip(_NAMES, self._second, strict=True)))

    def _move(self) -> None:
        if self._by_two(MOVE, {"of": 1, "to": 2}):
            self.moves += 1

    def _by_two(self, action: str, arguments: dict[str, Any]) -> bool:
        """One asks, another agrees at once; whether it was done, as far as they know."""
        try:
            asker, agreer = (User.objects.get(username=name) for name in PEOPLE[:2])
            approval = ask(action, arguments, why="The board wants it.", asked_by=asker)
            self.world.log(approval.effect.replace("\n", " "))
            done = agree(approval.pk, request=_session_of(agreer))
        except (DomainError, OperationalError) as error:
            self.world.log(f"two people are told: {type(error).__name__}: {str(error).partition(chr(10))[0]}")
            return False
        self.world.log(done.note)
        return True


def _session_of(person: User) -> HttpRequest:
    request = HttpRequest()
    request.user = person
    request.session = {SESSION_KEY: str(person.pk)}  # type: ignore[assignment]
    return request
