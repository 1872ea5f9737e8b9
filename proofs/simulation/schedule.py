"""One schedule: a phase with faults, of which the seed decides all, then a calm in which everything must converge."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from functools import partial

from django.conf import settings
from django.db import connection
from django.db.models import Q

from liquidation import chains
from liquidation.claim import claim_loans
from liquidation.models import PENDING_ORDER_STATUSES, OrderStatus, TradeOrder
from liquidation.verdicts import Answer
from loans.models import Loan
from pricing import best_price
from pricing.feeds import FEEDS
from pricing.ingest import record
from pricing.ingest.message import read
from pricing.markets import Market
from proofs.simulation.actor import State
from proofs.simulation.broker import Task, empty_redis
from proofs.simulation.clients import Clients, Request
from proofs.simulation.controls import Controls
from proofs.simulation.database import SimulationDatabase
from proofs.simulation.edges import Edges
from proofs.simulation.initial_loans import begin_with_active_loans
from proofs.simulation.jobs import Worker
from proofs.simulation.observer import OPERATOR, Observer
from proofs.simulation.people import People
from proofs.simulation.prices import HIGH, LOW, Publisher
from proofs.simulation.restores import Disaster, Operators, audit
from proofs.simulation.scheduler import Scheduler
from proofs.simulation.tape import Tape
from proofs.simulation.terms import ChangingTerms
from proofs.simulation.verdict import check_books, check_promises
from proofs.simulation.world import World

#: A round of the calm phase: longer than any back-off, lease and visibility, shorter than the life of a quote.
_ROUND_SECONDS = 31
_MAX_ROUNDS = 14
#: So many more where the books have gone back: statements are compared only after a while.
_ROUNDS_AFTER_RESTORE = 10
_MAX_STEPS = 6000
#: How long a slow market is silent between two quotes, and for how many rounds.
_SLOW_SECONDS, _SLOW_ROUNDS = 120.0, 4
#: How long everything may stand still once prices are known: perhaps for longer than they live.
_STANDS_STILL = (0,) * 6 + (50, 90, 200)
#: How often the invariants are checked during the phase with faults.
_LOOKS = 2
#: The longest time between two looks of a person.
_PEOPLE_COME_SECONDS = 20

EVALUATE = Task((("liquidation.evaluate_loans", {}),))
RECOVER = Task((("liquidation.recover", {}),))
TELL = Task((("liquidation.publish_loan_events", {}),))
POLLS = tuple(Task((("pricing.poll_prices", {"market": market.value}),)) for market in Market)

#: How likely each task is at a tick of beat: what a schedule is not about is rarer, since every task costs time.
_BEAT_OF_PRICES = ((POLLS[0], 0.9), (POLLS[1], 0.9), (EVALUATE, 0.3), (RECOVER, 0.5), (TELL, 0.2))
_BEAT_OF_SALES = ((RECOVER, 0.9), (EVALUATE, 0.05), (TELL, 0.1))

_OPEN_ENDS = """
    SELECT (SELECT count(*) FROM liquidation_liquidation WHERE status <> 'settled')
         + (SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NULL)
         + (SELECT count(*) FROM loans_loanevent WHERE sent_at IS NULL)
         + (SELECT count(*) FROM pricing_pricequote WHERE evaluated_at IS NULL)
"""


class NoEnd(RuntimeError):
    """A schedule takes more steps than any that is right."""


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a seed."""

    seed: int
    trace: tuple[str, ...]
    violations: tuple[str, ...]
    steps: int
    claimed: int
    #: How many faults happened.
    faults: int
    #: Whether the books have gone back.
    restored: bool = False


class Schedule:
    """A world, and the scheduler of the actors in it."""

    def __init__(self, seed: int, scheduler: Scheduler, database: SimulationDatabase, tape: Tape | None = None) -> None:
        """Prepare what the seed decides in advance, or the tape if there is one."""
        self.world = scheduler.world = World(seed, tape)
        self.scheduler = scheduler
        self.edges = Edges(self.world, scheduler.monitor)
        self._observer = Observer(self.world, self.edges.markets, scheduler.monitor, len(scheduler.actors))
        self.world.committed, self.world.heard = self._committed, self._heard
        self.worker = Worker(self.world, self.edges)
        self.clients = Clients(self.world)
        self.publisher = Publisher(self.world, self.edges)
        self.terms = ChangingTerms(self.world)
        self.controls = Controls(self.world, self._start)
        self.steps = 0
        random = self.world.random
        self.sales = random.random() < 0.5
        self.faulty_seconds = random.choice((20, 40, 55) if self.sales else (8, 12, 20, 30, 60))
        self.beat_seconds = 5.0 if self.sales else self.faulty_seconds / random.choice((1, 1, 2, 3))
        self.price_seconds = self.faulty_seconds / random.choice((1, 1, 2, 4))
        #: A market that publishes once in two minutes, if there is one.
        self.slow: Market | None = None if self.sales else random.choice([*[None] * 5, *Market])
        self.workers = random.choice((2, 3, 4, len(scheduler.actors)))
        #: Statements compare clocks, so the books do not go back where clocks step by minutes.
        self.books_go_back = random.choice((False,) * 5 + (True,)) and not self.world.faults.clock_steps
        self.world.four_eyes = random.choice((False, False, False, True))
        self.disaster = Disaster(self, database, self._observer)
        self.operators = Operators(self, self.disaster)
        self.people = People(self.world, self.edges, partial(self._start, OPERATOR))
        #: Whether both markets are low now: the best price is that of the better one.
        self.low = False
        #: By the database's clock, the window of the last evaluation reaches at least so far.
        self.known_drained_to = self.world.time

    def play(self) -> Result:
        """Play it, and check every promise."""
        world = self.world
        world.log(f"severity {world.faults.severity}, turns end with a chance of {world.faults.switch}")
        with self.edges.replaced():
            try:
                self._plan()
                self._run_until(self.faulty_seconds)
                self._calm_down()
                world.acting = "verdict"
                claimed = check_promises(self)
                if self.disaster.struck_at:
                    audit(self)
            finally:
                self.scheduler.dismiss()
        faults = sum("! " in line for line in world.trace)
        restored = self.disaster.struck_at is not None
        return Result(world.seed, tuple(world.trace), tuple(world.violations), self.steps, claimed, faults, restored)

    def _committed(self, actor: int, job: str) -> None:
        self._observer.committed(actor, job)
        self.disaster.look_on()

    def _heard(self, actor: int, market: Market, request_id: str, answer: Answer) -> None:
        self._observer.heard(actor, market, request_id, answer)
        self.disaster.look_on()

    # --- the phase with faults ---

    def _plan(self) -> None:
        """Plan a schedule of prices, or one of sales that have just begun."""
        if self.sales:
            self._plan_sales()
        else:
            self._plan_prices()
        world = self.world
        self.controls.plan(self.faulty_seconds, sales=self.sales)
        world.after(world.seconds(0, self.beat_seconds), self._beat)
        world.after(world.seconds(5, 20), self._shared_fault)
        world.after(world.seconds(1, _PEOPLE_COME_SECONDS), self._people_come)
        for _ in range(_LOOKS):
            look = partial(check_books, world, self.scheduler.monitor, at_every_moment=True)
            world.after(world.seconds(0, self.faulty_seconds), look)
        if self.books_go_back:
            self.disaster.plan(self.faulty_seconds)
        if not self.sales:
            self.terms.plan(self.faulty_seconds, self._start)

    def _plan_sales(self) -> None:
        random = self.world.random
        begin_with_active_loans(self.world, random.choice((1, 1, 2, 3)))
        for market in Market:
            self.publisher.publish(market, Decimal(random.choice(LOW[2:])))
        self._record_prices()
        point = best_price.refresh()
        loans = list(Loan.objects.order_by("pk").values_list("pk", flat=True))
        claimed = claim_loans(loans, point) if point.price is not None else []
        self.world.log(f"{len(claimed)} of them are claimed at {point.price}")
        for pk in claimed:
            self.edges.broker.now(chains.sale(pk))

    def _plan_prices(self) -> None:
        world, random = self.world, self.world.random
        if early := random.choice((0, 1, 1, 2)):
            begin_with_active_loans(world, early)
        for market in Market:
            self.publisher.publish(market, Decimal(random.choice(HIGH)))
            world.after(world.seconds(0.1, self.price_seconds), partial(self._price_moves, market))
        self._record_prices()
        world.time += timedelta(seconds=random.choice(_STANDS_STILL))
        self.clients.plan(random.choice((0, 1, 1)) if early else random.choice((1, 1, 2)))
        for request in self.clients.requests:
            seconds = world.seconds(0, self.faulty_seconds * random.choice((0.1, 0.3, 0.8)))
            world.after(seconds, partial(self._ask, request))
        world.after(world.seconds(0, self.faulty_seconds * 0.7), self._turn_prices)

    def _record_prices(self) -> None:
        """Record the prices so far and delete their messages, with nothing in between."""
        for market in Market:
            source, now = FEEDS[market], self.world.clock()
            if messages := self.edges.queues.take_all(source.queue):
                received = [read(source, "unit", message, now) for message in messages]
                record.write(source, received, now, now, received[0].sent_at)

    def _turn_prices(self) -> None:
        """Both markets fall, or rise again."""
        if self.world.faults.calm:
            return
        self.low = not self.low
        for market in Market:
            if self.world.random.random() < 0.8 and market is not self.slow:
                self._publish(market)
        self.world.after(self.world.seconds(0.5, self.faulty_seconds), self._turn_prices)

    def _price_moves(self, market: Market) -> None:
        if self.world.faults.calm:
            return
        self._publish(market)
        after = _SLOW_SECONDS if market is self.slow else self.world.seconds(0.5, 2 * self.price_seconds)
        self.world.after(after, partial(self._price_moves, market))

    def _publish(self, market: Market) -> None:
        self.publisher.publish(market, Decimal(self.world.choice(LOW if self.low else HIGH)))

    def _beat(self) -> None:
        if self.world.faults.calm:
            return
        for task, likely in _BEAT_OF_SALES if self.sales else _BEAT_OF_PRICES:
            if self.world.random.random() < likely:
                self.edges.broker.send(task)
        self.world.after(self.beat_seconds, self._beat)

    def _shared_fault(self) -> None:
        world = self.world
        if world.faults.calm:
            return
        if world.happens("redis.emptied"):
            empty_redis(self.edges.broker, self.edges.cache)()
        if world.happens("clock.stepped"):
            world.offset += timedelta(seconds=world.choice([-20, -3, 3, 25, 70]))
            world.log(f"the database's clock is off by {world.offset.total_seconds():.0f} s")
        world.after(world.seconds(1, 10), self._shared_fault)

    def _ask(self, request: Request) -> None:
        if request.is_over:
            return
        self.edges.broker.queue.append((self.world.time, Task((("client", {"request": request}),))))
        if self.world.happens("client.repeats"):
            self.world.after(self.world.seconds(0, 3), partial(self._ask, request))

    # --- the calm ---

    def _calm_down(self) -> None:
        world = self.world
        world.acting = "world"
        world.faults.calm = True
        world.log("--- calm ---")
        price = Decimal(world.random.choice((*HIGH, *LOW)))
        rounds = _MAX_ROUNDS + (_ROUNDS_AFTER_RESTORE if self.disaster.struck_at else 0)
        for number in range(rounds):
            world.acting = "world"
            for market in Market:
                if market is not self.slow or number % _SLOW_ROUNDS == 0:
                    self.publisher.publish(market, price)
            if self.sales:
                self._start("the prices", self._record_prices)  # by an actor, since it may wait for an evaluation
            for poll in () if self.sales else POLLS:
                self.edges.broker.send(poll)
            for request in self.clients.requests:
                if not request.answered:
                    self._ask(request)
            self.people_work()
            self._run_until(_ROUND_SECONDS / 2)
            # A poll that has not ended may learn of a silence that this round's evaluation cannot know.
            behind = bool(self.scheduler.busy or self.edges.broker.due() or self.operators.unfinished)
            self.known_drained_to = world.time + world.offset
            for task in (EVALUATE, RECOVER, TELL):
                self.edges.broker.send(task)
            self._run_until(_ROUND_SECONDS / 2)
            if not behind and not self._open_ends():
                return
        world.report("converges", f"after {rounds} calm rounds something is still open")

    def people_work(self) -> None:
        """Let a person look whether there is anything to do, if there may be."""
        enough = Q(sends__gte=settings.ORDER_SENDS_BEFORE_ATTENTION)
        waits = TradeOrder.objects.filter(enough | Q(status=OrderStatus.UNRESOLVED), status__in=PENDING_ORDER_STATUSES)
        if self.disaster.struck_at or self.people.asked or waits.exists():
            self._start(OPERATOR, self._people_work)

    def _people_come(self) -> None:
        """Among the faults they come now and then."""
        if not self.world.faults.calm:
            self.people_work()
            self.world.after(self.world.seconds(1, _PEOPLE_COME_SECONDS), self._people_come)

    def _people_work(self) -> None:
        self.operators.work()
        self.people.work()

    def _open_ends(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(_OPEN_ENDS)
            (rows,) = cursor.fetchone()
        unanswered = sum(not request.answered for request in self.clients.requests)
        pulled = self.controls.open_after(self.known_drained_to)
        return bool(rows or unanswered or pulled or self.edges.queues.left() or self.operators.unfinished)

    # --- one step after the other ---

    def _run_until(self, seconds: float) -> None:
        """Go on until so much time has passed."""
        world, scheduler = self.world, self.scheduler
        end = world.time + timedelta(seconds=seconds)
        while world.time < end:
            world.let_happen()
            ready = scheduler.ready
            hands = scheduler.idle and len(scheduler.busy) < self.workers and bool(self.edges.broker.due())
            if ready or hands:
                self._step(ready, hands=bool(hands))
                continue
            if scheduler.busy and all(actor.state is State.BLOCKED for actor in scheduler.busy):
                world.report("one order of locks", "everybody waits for a lock")
                scheduler.resolve_deadlock()
                continue
            instants = [world.next_event_at, scheduler.next_awake_at]
            if scheduler.idle and len(scheduler.busy) < self.workers:
                instants.append(self.edges.broker.next_due_at)
            world.time = max(world.time, min([end, *(instant for instant in instants if instant)]))

    def _step(self, ready: list, *, hands: bool) -> None:  # type: ignore[type-arg]
        world = self.world
        self.steps += 1
        if self.steps > _MAX_STEPS:
            raise NoEnd(f"seed {world.seed} comes to no end")
        world.time += timedelta(milliseconds=world.random.randrange(30))
        choice = world.random.randrange(len(ready) + hands)
        if choice < len(ready):
            self.scheduler.step(ready[choice])
            return
        world.acting = "broker"
        if task := self.edges.broker.take():
            self._start(str(task), self._job(task))

    def _start(self, title: str, job: Callable[[], None]) -> None:
        if idle := self.scheduler.idle:
            idle[0].take(title, job)

    def _job(self, task: Task) -> Callable[[], None]:
        name, arguments = task.chain[0]
        if name == "client":
            return partial(self.clients.send, arguments["request"])
        return partial(self.worker.run, task)
