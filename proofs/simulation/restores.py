"""A restore that loses commits: the books go back to an earlier instant; the markets, Redis and SNS do not.

Some processes survive it, in the middle of what they do. Then people bring the bank through it.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from django.db.models import Q

from coruscant import clock
from coruscant.errors import DomainError
from coruscant.restores import holds, identity
from coruscant.restores.models import Restore
from liquidation import restored
from liquidation.reconciliation import compare
from liquidation.reconciliation.models import DifferenceStatus, ReconciliationDifference
from liquidation.reconciliation.two_people import ADOPT, RELEASE_CLAIMS
from pricing.markets import Market
from pricing.models import PriceQuote
from proofs.simulation.actor import Actor, State
from proofs.simulation.database import PEOPLE, SimulationDatabase
from proofs.simulation.observer import OPERATOR
from proofs.simulation.world import BEGINNING, World

if TYPE_CHECKING:
    from proofs.simulation.observer import Observer
    from proofs.simulation.schedule import Schedule

#: How long after its call is over a request may still arrive at a market: what the release counts on.
ARRIVES_WITHIN = timedelta(minutes=1)
#: What a process may survive a restore in the middle of: neither a client's request nor the poll of a queue.
_SURVIVE = ("sell", "publish", "evaluate_loans", "recover")
_SURVIVES = 0.7
_LONG_BEFORE = BEGINNING - timedelta(days=1)

_ACCEPT_ANOTHER = "UPDATE restores_databaseidentity SET timeline = timeline + 1"
_MESSAGES = "SELECT message_id FROM pricing_pricequote UNION ALL SELECT message_id FROM pricing_rejectedmessage"
_REQUESTS = "SELECT request_id FROM loans_acceptedrequest"
_CONTROLS = "SELECT id FROM controls_control"


class Disaster:
    """One restore in the phase with faults: when the backup is made, and when it takes the place of the books."""

    def __init__(self, schedule: "Schedule", database: SimulationDatabase, observer: "Observer") -> None:
        """Nothing has happened; `plan` decides when it does."""
        self._schedule, self._database, self._observer = schedule, database, observer
        self.world: World = schedule.world
        #: When the backup was made, by the database's clock, and when it took the place of the books.
        self.kept_at: datetime | None = None
        self.struck_at: datetime | None = None
        #: Messages that were deleted, and of which the books know nothing any more.
        self.lost_messages: frozenset[str] = frozenset()
        self._commits = 0
        self._booked = 0

    def plan(self, seconds: float) -> None:
        """Both instants lie within so many seconds; each may come earlier, at a commit of a sale or an answer."""
        world, random = self.world, self.world.random
        identity.accepted()  # the service has run on this database
        for simulated in self._schedule.edges.markets.values():
            simulated.arrives_within = ARRIVES_WITHIN
        kept = world.seconds(0, seconds * 0.7)
        world.after(kept, self._keep)
        world.after(kept + world.seconds(0, seconds * 0.95 - kept), self._strike)
        self._commits = random.choice((1, 1, 2, 3, 5, 8))

    def look_on(self) -> None:
        """Something of a sale was committed, or an answer was read."""
        self._commits -= 1
        if self._commits == 0 and self.kept_at is None:
            self._keep()
            self._commits = self.world.random.choice((1, 2, 3, 5, 8))
        elif self._commits == 0:
            self.world.at(self.world.time, self._strike)

    def _keep(self) -> None:
        if self.kept_at is None and not self.world.faults.calm:
            self._database.keep()
            self.kept_at, self._booked = self.world.clock(), len(self._schedule.edges.booked)
            self.world.log("! a backup is made of the books")

    def _strike(self) -> None:
        if self.kept_at is None or self.struck_at is not None or self.world.faults.calm:
            return
        world, schedule = self.world, self._schedule
        some_survive = world.random.random() < 0.5
        schedule.scheduler.kill(
            [actor for actor in schedule.scheduler.busy if not (some_survive and self._survives(actor))]
        )
        world.acting = "world"
        sequences = world.random.random() < 0.5
        world.log(f"! the books go back, {'and sequences too' if sequences else 'but no sequences'}")
        self._database.go_back(sequences=sequences)
        monitor = self._database.monitor
        monitor.execute(_ACCEPT_ANOTHER)
        identity.forget()
        self.struck_at = world.clock()
        schedule.edges.restores += 1
        del schedule.edges.booked[self._booked :]
        schedule.edges.queues.forget()
        known = {name for (name,) in monitor.execute(_MESSAGES)}
        self.lost_messages = frozenset(
            one.message.message_id
            for one in schedule.publisher.published
            if one.message.deleted and one.message.message_id not in known
        )
        schedule.controls.restored({pk for (pk,) in monitor.execute(_CONTROLS)})
        schedule.clients.restored({name for (name,) in monitor.execute(_REQUESTS)})
        broker = schedule.edges.broker
        broker.queue = [(at, task) for at, task in broker.queue if task.chain[0][0] != "client"]
        self._observer.restored()

    def _survives(self, actor: Actor) -> bool:
        """Whether an actor goes on, with what it has in memory: none does in the middle of a transaction."""
        at_rest = actor.state is State.READY and not actor.in_transaction
        return at_rest and actor.title.split()[0] in _SURVIVE and self.world.random.random() < _SURVIVES


class Operators:
    """People who bring the bank through a restore."""

    def __init__(self, schedule: "Schedule", disaster: Disaster) -> None:
        """Nobody has noticed anything."""
        self._schedule, self._disaster = schedule, disaster
        self.world: World = schedule.world
        self._since: datetime | None = None
        self._statements_from: datetime | None = None
        self._in_haste = False

    @property
    def unfinished(self) -> bool:
        """Whether a restore is not over."""
        if self._disaster.struck_at is None:
            return False
        over = Q(compared_at__isnull=False, claims_released_at__isnull=False)
        return not Restore.objects.filter(over).exists() or Restore.objects.exclude(over).exists()

    def work(self) -> None:
        """Do what can be done now."""
        self._schedule.people.unless_the_database_is_lost(self._work)

    def _work(self) -> None:
        if not self.unfinished:
            return
        if identity.objection():
            self._begin()
        restore = Restore.objects.first()
        if restore is None:
            return
        steps: list[Callable[[Restore], None]] = [self._release_claims, self._compare, self._adopt]
        if self.world.random.random() < 0.5:
            steps.reverse()
        for step in steps:
            step(restore)

    def _begin(self) -> None:
        try:
            found = restored.begin(since=self._said_since(), by=PEOPLE[0], reason="The books were restored.")
        except DomainError as error:
            self.world.log(f"an operator is told: {error.code}")
        else:
            self.world.log(f"{found} is begun")
            assert self._disaster.kept_at is not None
            if found.since > self._disaster.kept_at:
                self.world.report("restore", f"the books lack what came after {self._disaster.kept_at.time()}: {found}")

    def _said_since(self) -> datetime:
        """The instant of the restore as a person says it: right, too early, or too late where that is corrected."""
        if self._since is None:
            assert self._disaster.kept_at is not None
            offs = [0.0, 0.0, -20.0]
            if PriceQuote.objects.filter(evaluated_at__isnull=False).exists():
                offs += [3600.0, 5.0]
            since = self._disaster.kept_at + timedelta(seconds=self.world.choice(offs))
            self._since = min(since, clock.now())
            self._statements_from = self.world.choice([None, _LONG_BEFORE])
            self._in_haste = self.world.random.random() < 0.5
        return self._since

    def _compare(self, restore: Restore) -> None:
        """Compare the statements of both markets up to now: often too early to release anything."""
        now = clock.now()
        first, last = holds.statements_cover(restore)
        if restore.compared_at is not None or (now < last and not self._in_haste):
            return
        start = min(first, self._statements_from or first)
        for market, simulated in self._schedule.edges.markets.items():
            content = simulated.statement(start, now)
            compare.reconcile(market=market, content=content, by=PEOPLE[0], start=start, end=now)

    def _adopt(self, _restore: Restore) -> None:
        waiting = ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN, loan__isnull=False)
        for difference in waiting.order_by("pk"):
            self._schedule.people.by_two(ADOPT, difference_id=difference.pk)

    def _release_claims(self, restore: Restore) -> None:
        if restore.claims_released_at is None and self._schedule.clients.all_answered:
            self._schedule.people.by_two(RELEASE_CLAIMS, restore_id=restore.pk)


def audit(schedule: "Schedule") -> None:
    """Compare the statements of both markets once more, as an auditor would: nothing may differ."""
    now = clock.now()
    for market in Market:
        content = schedule.edges.markets[market].statement(_LONG_BEFORE, now)
        compare.reconcile(market=market, content=content, by=OPERATOR, start=_LONG_BEFORE, end=now)
    for difference in ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN):
        schedule.world.report("I13", f"{difference.market} states otherwise: {difference.kind} {difference.request_id}")
