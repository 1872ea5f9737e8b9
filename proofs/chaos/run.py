"""One run, from an empty database to the verdict."""

import time
from collections.abc import Sequence
from random import Random

import requests
from rich.console import Console

from local.demo.errors import DemoError
from local.demo.running_demo import RunningDemo
from local.demo.settings import Options
from local.demo.simulators import Simulators, Trade
from local.demo.verdict import Check, check_run, named, print_checks
from local.stack import EmbeddedStack
from local.stack.ports import LOOPBACK
from local.stack.postgres import DATABASE
from local.stack.prometheus import installed
from local.stack.standby import commit_alone
from proofs.chaos import books
from proofs.chaos.alarms import Alarms
from proofs.chaos.faults import EVERY, Target
from proofs.chaos.forgery import MARK, Forger
from proofs.chaos.monitor import Monitor
from proofs.chaos.nemesis import Nemesis
from proofs.chaos.plan import Kind, Round, make_plan
from proofs.chaos.price_cycle import PriceCycle
from proofs.chaos.proxy import Mode, Proxy
from proofs.chaos.report import longest_of, not_played, table

WARM_UP_AT_MOST_SECONDS = 90.0
CALM_AT_LEAST_SECONDS, CALM_AT_MOST_SECONDS = 4.0, 120.0
LOOK_SECONDS, REMEMBER_SECONDS = 0.25, 1.0
PRICE_MAX_AGE_SECONDS = 20
"""Shorter than in production, so that a price that is held up dies within a short run."""


class Run:
    """Holds what a run needs. Whoever made it calls `clear` afterwards, whatever happened."""

    def __init__(
        self, options: Options, stack: EmbeddedStack, console: Console, names: Sequence[str], *, alarms: bool = False
    ) -> None:
        """Take a stack that runs, and the names of the faults to be played; for `alarms`, each until its alerts fire.

        Raises DemoError if there is no Prometheus for that.
        """
        if alarms and not installed():
            raise DemoError("Whether alerts fire takes Prometheus: Debian's package prometheus.")
        self._names, self._until_alarmed = names, alarms
        self._options = options
        self._console = console
        self._stack = stack
        self._proxy = Proxy(stack.sns_sqs.endpoint_url)
        changes = {"AWS_ENDPOINT_URL": self._proxy.url, "PRICE_MAX_AGE_SECONDS": str(PRICE_MAX_AGE_SECONDS)}
        for name in names:
            changes |= EVERY[name].environment
        self._demo = RunningDemo(options, stack, self._say, changes)
        books.use(self._demo.environment | changes | {"LOG_LEVEL": "CRITICAL"})
        random = Random(f"{options.seed}/nemesis")
        self._forger = Forger(self._demo.addresses, stack.sns_sqs.endpoint_url, random, self._keep_running)
        self._price_cycle = PriceCycle(self._demo.simulators)
        self._monitor = Monitor(Simulators(self._demo.addresses), self._elapsed)
        self._alarms = Alarms(options.folder / "prometheus", stack.log_folder)
        self._nemesis = Nemesis(
            Target(
                self._demo,
                self._proxy,
                self._forger,
                random,
                self._say,
                self._monitor,
                self._go_on,
                self._alarms,
                self._price_cycle,
            )
        )
        self._began = time.monotonic()
        self._remember_at = 0.0
        self._faulty = True

    def play(self) -> int:
        """Play for the seconds asked for, and then what changes the whole bank; return the exit code."""
        self._empty_database()
        self._proxy.start()
        self._demo.prepare()
        self._make_people()
        since = self._demo.books.now()
        self._demo.start()
        if any(EVERY[name].alerts or self._until_alarmed for name in self._names):
            self._alarms.start(f"{LOOPBACK}:{self._demo.addresses.port('web')}")
        self._began = time.monotonic()
        self._monitor.start()
        self._warm_up()
        if self._until_alarmed:
            self._raise_alarms()
        else:
            self._play_plan()
        self._calm_down()
        if self._until_alarmed:
            self._nemesis.wait_for_quiet(self._names)
        self._monitor.stop()
        checks = check_run(self._demo.books, self._demo.simulators, since, self._demo.invariants)
        return self._report(checks + self._own_checks(since))

    def _raise_alarms(self) -> None:
        for name in self._names:
            self._nemesis.alarm(name)

    def _play_plan(self) -> None:
        until = time.monotonic() + float(self._options.seconds or 0)
        plan = self._plan()
        self._say(f"{len(plan)} rounds, seed {self._options.seed}")
        self._nemesis.measure_nothing()
        for number, faults in enumerate(plan):
            if (
                number
                and time.monotonic() > until
                and not set(not_played(self._names, self._nemesis.played)) & set(faults)
            ):
                continue  # recoveries took the time of this round, and its faults have been played
            self._nemesis.play(faults)

    def clear(self) -> None:
        """Stop every process and wait until they are gone."""
        self._monitor.stop()
        self._alarms.stop()
        self._demo.stop()
        self._proxy.stop()

    def _empty_database(self) -> None:
        """The markets begin with empty order logs, so the books must begin empty too."""
        postgres = self._stack.postgres
        commit_alone(postgres)  # an earlier run may have been killed while it had a standby
        postgres.ask(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        postgres.make_role_and_database()

    def _make_people(self) -> None:
        """Whoever answers for what needs two people, should anything."""
        from proofs.service.people import make_people  # noqa: PLC0415  (needs the settings)

        make_people()

    def _plan(self) -> list[Round]:
        faults = [EVERY[name] for name in EVERY if name in self._names]
        kinds = [Kind(fault.name, fault.lasts_seconds, fault.touches, fault.changes_the_bank) for fault in faults]
        return make_plan(kinds, float(self._options.seconds or 0), self._options.seed)

    def _keep_running(self) -> None:
        for name in self._demo.keep_running():
            self._say(f"{name} ended and is started again")

    def _go_on(self) -> None:
        """Keep everything running, the price moving and the forger's memory fresh."""
        self._keep_running()
        if not self._faulty:
            return
        try:
            self._price_cycle.go_on(self._elapsed())
            if self._elapsed() >= self._remember_at:
                self._remember_at = self._elapsed() + REMEMBER_SECONDS
                self._forger.remember()
        except requests.RequestException as error:
            self._say(f"a market did not answer: {type(error).__name__}")

    def _watch(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._go_on()
            time.sleep(LOOK_SECONDS)

    def _warm_up(self) -> None:
        """Wait until the first sales are under way."""
        while self._elapsed() < WARM_UP_AT_MOST_SECONDS:
            look = books.look()
            if look is not None and look.selling:
                return
            self._watch(1)

    def _calm_down(self) -> None:
        """No new loans, no faults, a steady price: within a bounded time everything comes to its end."""
        self._say("no new loans, no faults: what is under way comes to its end")
        self._faulty = False
        self._proxy.set_mode(Mode.PASS)
        self._demo.simulators.calm_down()
        self._watch(CALM_AT_LEAST_SECONDS)
        until = time.monotonic() + CALM_AT_MOST_SECONDS
        while time.monotonic() < until:
            look = books.look()
            if look is not None and not look.selling and not look.unsent and not look.unevaluated:
                break
            self._watch(1)

    def _own_checks(self, since: object) -> list[Check]:
        monitor, nemesis = self._monitor, self._nemesis
        (rejected,) = books.rows(books.MARKED, [f"{MARK}-[0-9]+-", since])[0]
        unseen = sorted({name for one in nemesis.played for name in one.unseen})
        stuck, waiting = books.rows(books.ASKING)[0]
        stated = self._demo.simulators.statements()
        booked = {order: Trade(market, units, proceeds) for order, market, units, proceeds in books.rows(books.BOOKED)}
        differ = books.disagreements(stated, booked, self._demo.books.pending_orders())
        limits = {order: (pk, units) for order, pk, units in books.rows(books.LIMITS)}
        oversold = books.oversold({request_id: trade.units for request_id, trade in stated}, limits)
        return [
            Check(
                not monitor.violations,
                f"{len(monitor.violations)} promises broken in {monitor.looks} looks during the run, {monitor.blind}"
                f" more in vain{named([f'{sentence} ({at:.0f} s)' for sentence, at in monitor.violations.items()])}",
            ),
            Check(monitor.looks > 0, f"{monitor.looks} looks at the books and the markets during the run"),
            Check(
                not nemesis.violations,
                f"{len(nemesis.violations)} recoveries took longer than promised{named(nemesis.violations)}",
            ),
            Check(
                not nemesis.silent_alerts,
                f"{len(nemesis.silent_alerts)} alerts did not fire by the fault that they are for"
                f"{named(nemesis.silent_alerts)}{'' if self._alarms.watched else ': nobody looked'}",
            ),
            Check(
                not nemesis.lasting_alerts,
                f"{len(nemesis.lasting_alerts)} alerts still fire when all is well{named(nemesis.lasting_alerts)}",
            ),
            Check(
                rejected == self._forger.unreadable,
                f"{rejected} of {self._forger.unreadable} unreadable messages are kept for a person to read",
            ),
            Check(not unseen, f"{len(unseen)} faults left nothing for an operator to find in the logs{named(unseen)}"),
            Check(not differ, f"{len(stated)} trades in the markets' statements, {len(differ)} differ{named(differ)}"),
            Check(
                not oversold,
                f"by the statements, {len(oversold)} liquidations sold more than they had{named(oversold)}",
            ),
            Check(
                stuck == 0,
                f"{stuck} liquidations neither move nor ask for a person; {waiting} ask, with the order in doubt",
            ),
        ]

    def _report(self, checks: list[Check]) -> int:
        played = self._nemesis.played
        self._console.print("\nLongest recovery in seconds, from the end of the fault:")
        self._console.print(table(played))
        longest = longest_of([one.longest for one in played])
        wire = ", ".join(f"{mode} {count}" for mode, count in self._proxy.counts.items())
        self._say(f"{len(played)} rounds, longest recovery {longest} s; requests on the wire to SNS and SQS: {wire}")
        if missing := not_played(self._names, played):
            self._say(f"not played: {', '.join(missing)}")
        return print_checks(self._console, checks)

    def _elapsed(self) -> float:
        return time.monotonic() - self._began

    def _say(self, sentence: str) -> None:
        self._console.print(f"{self._elapsed():5.0f} s {sentence}", highlight=False, soft_wrap=True, markup=False)
