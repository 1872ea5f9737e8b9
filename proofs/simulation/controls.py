"""People pull controls in the middle of it all, and two of them end some early; and what must hold of these.

Not where the clock steps: instants then do not tell what came first.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpRequest

from coruscant.approvals import decide
from coruscant.approvals.ask import ask
from coruscant.controls import pull, two_people
from coruscant.controls.models import OF_A_MARKET, Control, ControlKind
from coruscant.errors import DomainError
from liquidation.controls import set_aside as setting_aside
from liquidation.controls.models import WithheldClaim
from liquidation.models import Liquidation, TradeOrder
from loans.models import Loan
from pricing.markets import Market
from proofs.simulation import oracle
from proofs.simulation.database import PEOPLE
from proofs.simulation.oracle import Heard, Out, Span
from proofs.simulation.world import World

_WORLDS = 0.35
_OF_PRICES = (
    ControlKind.PAUSE_CLAIMS, ControlKind.PAUSE_CLAIMS, ControlKind.PAUSE_ACTIVATIONS, ControlKind.SET_ASIDE,
    ControlKind.SET_ASIDE,
)  # fmt: skip
_OF_SALES = (ControlKind.NO_NEW_ORDERS,)
_MOMENT = timedelta(microseconds=1)


class Controls:
    """The controls of one world."""

    def __init__(self, world: World, start: Callable[[str, Callable[[], None]], None]) -> None:
        """`start` lets somebody begin with a job of that title, if there is anybody."""
        self.world, self._start = world, start
        #: When whoever pulled a control knew that it is written.
        self.known_at: dict[int, datetime] = {}
        self._people = 0

    def plan(self, seconds: float, *, sales: bool) -> None:
        """Plan what is pulled within so many seconds: in some worlds nothing."""
        world = self.world
        if world.random.random() >= _WORLDS or world.faults.clock_steps:
            return
        for _ in range(world.choice([1, 1, 2, 3])):
            kind = world.choice(_OF_SALES if sales else _OF_PRICES)
            world.after(world.seconds(0, seconds), partial(self._begin, kind))

    def restored(self, known: Collection[int]) -> None:
        """The books have gone back, and know of these controls only."""
        self.known_at = {pk: at for pk, at in self.known_at.items() if pk in known}

    def open_after(self, evaluated: datetime) -> bool:
        """Whether a control held later than the last evaluation began."""
        return bool(self._people) and Control.objects.filter(until__gte=evaluated).exists()

    def _begin(self, kind: str) -> None:
        self._start("a person pulls", self._pull(kind))

    def _pull(self, kind: str) -> Callable[[], None]:
        world = self.world
        self._people += 1
        by_id, lasts = self._people, timedelta(seconds=world.seconds(2, 25))
        market = world.choice(list(Market)) if kind in OF_A_MARKET else ""
        ends_after = world.seconds(1, 20) if world.random.random() < 0.5 else None

        def job() -> None:
            alone: Any = {"market": market, "lasts": lasts, "why": "A crash.", "by": f"person {by_id}", "by_id": by_id}
            try:
                made = self._set_aside(alone) if kind == ControlKind.SET_ASIDE else pull.pull(kind, **alone)
            except (DomainError, OperationalError) as error:
                world.log(f"a person pulls {kind}, and is told: {type(error).__name__}")
                return
            self.known_at[made.pk] = world.clock()
            world.log(f"{made} holds until {made.until.time()}")
            if ends_after:
                world.after(ends_after, lambda: self._start("two people", lambda: self._end(made)))

        return job

    def _set_aside(self, alone: dict[str, Any]) -> Control:
        """By one person, or by two where that changes the price."""
        try:
            return setting_aside.set_aside(**alone)
        except pull.SecondPersonNeeded:
            self._by_two(setting_aside.SET_ASIDE, {"market": alone["market"], "minutes": 1, "why": alone["why"]})
            return Control.objects.filter(kind=ControlKind.SET_ASIDE, market=alone["market"]).latest("pk")

    def _end(self, control: Control) -> None:
        try:
            self._by_two(two_people.END, {"control_id": control.pk})
        except (DomainError, OperationalError) as error:
            self.world.log(f"two people end {control}, and are told: {type(error).__name__}")
        else:
            self.world.log(f"two people have ended {control}")

    def _by_two(self, action: str, arguments: dict[str, Any]) -> None:
        """One asks, and another agrees at once."""
        asker, other = User.objects.filter(username__in=PEOPLE[:2]).order_by("pk")
        request: Any = HttpRequest()
        request.user, request.session = other, {SESSION_KEY: str(other.pk)}
        asked = ask(action, arguments, why="They say so.", asked_by=asker)
        decide.agree(asked.pk, request=request)


class Spared:
    """The pauses of claims as they were in the end, and the loans that they are said to have spared."""

    def __init__(self, world: World) -> None:
        """Read the books."""
        self._world = world
        self._pauses = list(Control.objects.filter(kind=ControlKind.PAUSE_CLAIMS))
        self._listed = set(WithheldClaim.objects.values_list("loan_id", flat=True))

    def spares(self, loan: Loan, span: Span) -> bool:
        """Whether a price that breached a loan did not outlast some pause. Reports a loan that is not listed then."""
        if not any(span.end <= pause.until for pause in self._pauses):
            return False
        if loan.pk not in self._listed:
            self._world.report("oracle", f"{loan} was neither claimed nor listed at {span.price}, {span.end.time()}")
        return True

    def check_claims(self, claims: Sequence[Liquidation], heard: Sequence[Heard]) -> None:
        """Report every claim in a pause, and every claim by a price that ended before claims were resumed.

        Not those for a trade that a statement shows: that loan was claimed once, before a restore.
        """
        for claimed in claims:
            if claimed.evidence[0]["reference"].startswith("statement "):
                continue
            for pause in self._pauses:
                claim = f"{claimed.loan} was claimed at {claimed.claimed_at.time()}"
                if pause.began_at <= claimed.claimed_at < pause.until:
                    self._world.report("oracle", f"{claim}, in {pause}")
                if claimed.claimed_at >= pause.until and not _outlasts(claimed, pause.until, heard):
                    self._world.report("oracle", f"{claim} by {claimed.price}, which ended before {pause} did")


def set_aside() -> list[Out]:
    """When the prices of each market were set aside, as it turned out."""
    rows = Control.objects.filter(kind=ControlKind.SET_ASIDE).order_by("pk")
    return [Out(market, start, end) for market, start, end in rows.values_list("market", "began_at", "until")]


def check_orders(world: World, known_at: dict[int, datetime]) -> None:
    """Report every order that was made for a market while whoever pulled its control knew that it gets none."""
    for control in Control.objects.filter(kind=ControlKind.NO_NEW_ORDERS, pk__in=known_at):
        made = TradeOrder.objects.filter(
            market=control.market, created_at__gt=known_at[control.pk], created_at__lt=control.until
        )
        for order in made:
            world.report("oracle", f"{order} was made for {order.market} at {order.created_at.time()}, in {control}")


def _outlasts(claimed: Liquidation, resumed: datetime, heard: Sequence[Heard]) -> bool:
    """Whether the price of a claim may have been the best one at some instant after the resumption."""
    instants = {resumed + _MOMENT, claimed.price_at} | {
        at for one in heard for at in (one.sent_at, one.sent_at + oracle.MAX_AGE, one.sent_at + oracle.MAX_LAG)
    }
    by_market, outs = [[one for one in heard if one.market == market] for market in Market], set_aside()
    return any(
        claimed.price
        in oracle.possible_prices([*by_market[0][:first], *by_market[1][:second]], at, claimed.claimed_at, outs)
        for at in sorted(instants)
        if resumed < at <= claimed.claimed_at
        for first in range(len(by_market[0]) + 1)
        for second in range(len(by_market[1]) + 1)
    )
