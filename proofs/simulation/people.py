"""People: they answer for orders, ask and agree; some mistype figures, and some agree to what they should not."""

from collections.abc import Callable
from decimal import Decimal
from functools import cached_property, partial
from typing import Any

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.models import User
from django.db import OperationalError
from django.http import HttpRequest

from coruscant.approvals import decide
from coruscant.approvals.ask import AlreadyAsked, ask
from coruscant.approvals.models import Approval, Outcome
from coruscant.approvals.people import AccountTooYoung, SamePerson
from coruscant.errors import DomainError
from liquidation import resolution, two_people
from liquidation.models import PENDING_ORDER_STATUSES, OrderStatus, TradeOrder
from liquidation.reconciliation import two_people as after_restore
from liquidation.reconciliation.models import ReconciliationDifference
from pricing.markets import Market
from proofs.simulation import lies
from proofs.simulation.database import NEWCOMER, PEOPLE
from proofs.simulation.edges import Edges
from proofs.simulation.lies import Trade
from proofs.simulation.world import World

#: How often a person mistypes the figures of a trade, and by how much.
_MISTYPES, _FACTORS = 0.3, ("1e6", "1e-5", "1e15")
_TRIES_ALONE, _DISAGREES, _BOTH_AT_ONCE = 0.2, 0.25, 0.3
#: The figures of a trade, for one market's log.
_Figures = tuple[Decimal, Decimal]


class People:
    """The bank's representatives, who look at what the markets tell them by telephone, and at nothing else."""

    def __init__(self, world: World, edges: Edges, start: Callable[[Callable[[], None]], None]) -> None:
        """`start` lets somebody else begin with a job at once, if there is anybody."""
        self.world, self._edges, self._start = world, edges, start
        #: Whether anything was asked of a second person.
        self.asked = False
        self._may_disagree = True

    def work(self) -> None:
        """Answer for the orders that wait for a person, and decide what others have asked."""
        self.unless_the_database_is_lost(self._answer_for_orders)
        self.unless_the_database_is_lost(self.decide)

    def unless_the_database_is_lost(self, act: Callable[[], None]) -> None:
        """Do it; whoever finds the database gone comes again later."""
        try:
            act()
        except OperationalError as error:
            self.world.log(f"a person is told: {type(error).__name__}")

    # --- one person ---

    def _answer_for_orders(self) -> None:
        for order in TradeOrder.objects.filter(status__in=PENDING_ORDER_STATUSES).order_by("pk"):
            if resolution.may_be_stopped(order):
                self._told(partial(resolution.stop_sending, order_id=order.pk))
                continue
            if order.status != OrderStatus.UNRESOLVED:
                continue
            trade = self._edges.markets[Market(order.market)].asked_by_a_person(order.request_id)
            if trade is None:
                act = partial(resolution.resolve_as_not_traded, order_id=order.pk)
                self._or_by_two(act, two_people.NOT_TRADED, order_id=order.pk)
                continue
            if lies.is_large(trade.units, trade.proceeds) and self.world.random.random() < _MISTYPES:
                self._mistype(order, trade)
            act = partial(resolution.resolve_as_traded, order_id=order.pk, units=trade.units, proceeds=trade.proceeds)
            self._or_by_two(act, two_people.TRADED, order_id=order.pk, units=trade.units, proceeds=trade.proceeds)

    def _told(self, act: Callable[..., None]) -> DomainError | None:
        """Do it alone, or be told why not."""
        try:
            act(actor_name=PEOPLE[0], actor_id=self._accounts[PEOPLE[0]].pk)
        except DomainError as error:
            self.world.log(f"a person is told: {error.code}")
            return error
        return None

    def _or_by_two(self, act: Callable[..., None], name: str, **arguments: Any) -> None:
        """Answer alone if one may, else ask."""
        if isinstance(self._told(act), resolution.SecondPersonNeeded):
            self.ask(name, **arguments)

    def _mistype(self, order: TradeOrder, trade: Trade) -> None:
        """Enter figures that no price explains: one person alone must not have them booked."""
        units, proceeds = trade.units, trade.proceeds * Decimal(self.world.choice(_FACTORS))
        try:
            resolution.resolve_as_traded(
                order_id=order.pk, units=units, proceeds=proceeds, actor_name=PEOPLE[0],
                actor_id=self._accounts[PEOPLE[0]].pk,
            )  # fmt: skip
        except resolution.SecondPersonNeeded as error:
            self.world.log(f"a person has mistyped, and is told: {error.code}")
            if self.world.random.random() < _DISAGREES:
                self.ask(two_people.TRADED, order_id=order.pk, units=units, proceeds=proceeds)
        except DomainError as error:
            self.world.log(f"a person has mistyped, and is told: {error.code}")
        else:
            self.world.report("I14", f"one person had {units} units for {proceeds} GC booked, far from {trade}")

    # --- two people ---

    def by_two(self, name: str, **arguments: Any) -> None:
        """Ask for it, and let a second person decide."""
        self.ask(name, **arguments)
        self.decide()

    def ask(self, name: str, **arguments: Any) -> None:
        """Ask a second person."""
        self.asked = True
        asker = self._accounts[self.world.choice(PEOPLE[:2])]
        try:
            ask(name, arguments, why="The market told me so.", asked_by=asker)
        except AlreadyAsked:
            self.world.log(f"{name} waits already")
        except DomainError as error:
            self.world.log(f"a person asks for {name}, and is told: {error.code}")
        else:
            self.world.log(f"{asker.username} asks for {name}")

    def decide(self) -> None:
        """Decide whatever waits: nobody does what they have asked, and what is not so is refused."""
        for approval in Approval.objects.filter(outcome=Outcome.ASKED).order_by("pk"):
            random = self.world.random
            if random.random() < _TRIES_ALONE:
                self._must_not(approval, approval.asked_by_name, SamePerson)
                self._must_not(approval, NEWCOMER, AccountTooYoung)
            others = [name for name in PEOPLE if name != approval.asked_by_name]
            if not self._is_true(approval):
                self._refuse(approval, others[0], "The market says otherwise.")
            elif self._may_disagree and random.random() < _DISAGREES:
                self._may_disagree = False
                self._refuse(approval, others[0], "I want to hear it myself.")
            elif random.random() < _BOTH_AT_ONCE:
                self._start(partial(self.unless_the_database_is_lost, partial(self._agree, approval.pk, others[1])))
                self._agree(approval.pk, others[0])
            else:
                self._agree(approval.pk, others[0])

    def _agree(self, approval_id: int, name: str) -> None:
        try:
            decide.agree(approval_id, request=self._log_in(name))
        except DomainError as error:
            self.world.log(f"{name} agrees, and is told: {error.code}")
        else:
            self.world.log(f"{name} agrees")

    def _refuse(self, approval: Approval, name: str, note: str) -> None:
        try:
            decide.refuse(approval.pk, request=self._log_in(name), note=note)
        except DomainError as error:
            self.world.log(f"{name} refuses, and is told: {error.code}")
        else:
            self.world.log(f"{name} refuses")

    def _must_not(self, approval: Approval, name: str, told: type[DomainError]) -> None:
        try:
            decide.agree(approval.pk, request=self._log_in(name))
        except told:
            return
        except DomainError as error:  # somebody has decided meanwhile
            self.world.log(f"{name} agrees, and is told: {error.code}")
            return
        self.world.report("I14", f"{name} agreed to {approval.action}, which {approval.asked_by_name} had asked")

    def _is_true(self, approval: Approval) -> bool:
        """Whether what was asked is what the market's log has."""
        arguments = approval.arguments
        match approval.action:
            case two_people.TRADED:
                stated = Decimal(arguments["units"]), Decimal(arguments["proceeds"])
                return self._traded(TradeOrder.objects.filter(pk=arguments["order_id"]).first()) == stated
            case two_people.NOT_TRADED:
                return self._traded(TradeOrder.objects.filter(pk=arguments["order_id"]).first()) is None
            case after_restore.ADOPT:
                found = ReconciliationDifference.objects.filter(pk=arguments["difference_id"]).first()
                return found is None or self._traded(found) == (found.units, found.proceeds)
        return True

    def _traded(self, about: TradeOrder | ReconciliationDifference | None) -> _Figures | None:
        trade = about and self._edges.markets[Market(about.market)].trades.get(about.request_id)
        return (trade.units, trade.proceeds) if trade else None

    def _log_in(self, name: str) -> HttpRequest:
        request, account = HttpRequest(), self._accounts[name]
        request.user = account
        vars(request)["session"] = {SESSION_KEY: str(account.pk)}
        return request

    @cached_property
    def _accounts(self) -> dict[str, User]:
        return {user.username: user for user in User.objects.all()}
