"""One run of the demo, from the first process to the verdict."""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime

import psycopg
import requests
from rich.console import Console
from rich.live import Live

from local.demo import incident
from local.demo.errors import DemoError
from local.demo.logins import ACCOUNTS, PASSWORD
from local.demo.people import People
from local.demo.running_demo import CHECK_SECONDS, RunningDemo
from local.demo.said import Said
from local.demo.screenshot import Screenshot
from local.demo.settings import Options
from local.demo.verdict import Check, check_run, print_checks
from local.demo.view import ViewState, doubts, progress_line, render
from local.stack import EmbeddedStack

CALM_AT_LEAST_SECONDS, CALM_AT_MOST_SECONDS = 10, 90
DRAW_SECONDS, LINE_SECONDS = 1.0, 5.0
ENDLESS_CYCLE_SECONDS = 90  # without --seconds the price falls and recovers once in so long


class Run:
    """Holds what a run needs. `play` plays it; whoever made it calls `stop` afterwards, whatever happened."""

    def __init__(self, options: Options, stack: EmbeddedStack, console: Console) -> None:
        """Take a stack that runs."""
        self._options = options
        self._console = console
        self._demo = RunningDemo(options, stack, self._report)
        self._books, self._simulators = self._demo.books, self._demo.simulators
        self._people = People(self._demo.addresses, self._books)
        self._seen: deque[tuple[datetime, Said]] = deque(maxlen=3600)
        self._notes: deque[str] = deque(maxlen=4)
        self._state = ViewState()
        self._live: Live | None = None
        self._screenshot = Screenshot()
        self._began = self._drawn = self._lined = 0.0

    def play(self) -> int:
        """Play the demo; return 0, or 1 if a check of the verdict failed.

        Without --seconds it ends by KeyboardInterrupt only.
        """
        self._demo.prepare()
        since = self._books.now()
        self._state.events_sent_before = self._books.look().sums["events_sent"]
        self._start()
        self._began = time.monotonic()
        with self._view():
            if self._options.seconds is None:
                self._play_forever()
            self._play(float(self._options.seconds or 0))
            if self._options.screenshot is not None:
                self._screenshot.write(self._options.screenshot)
            self._calm_down(since)
        return print_checks(self._console, self._checks(since))

    def stop(self) -> None:
        """Stop every process and wait until they are gone."""
        self._demo.stop()

    def _start(self) -> None:
        self._demo.start()
        self._state.links = self._links()
        web = self._demo.addresses.web
        if web != self._options.port:
            self._console.print(f"Port {self._options.port} is taken; the service is on {web}.")
        for label, address in self._state.links:
            self._console.print(f"  {label:10} {address}", highlight=False)
        self._demo.wait_for("the markets' prices", self._demo.check_prices_arrive)
        self._demo.wait_for("the admin", self._people.log_in)

    def _checks(self, since: datetime) -> list[Check]:
        lie = self._books.lie_since(since, incident.LIAR, incident.FALSE_PRICE)
        pauses = self._books.pauses_since(since)
        return [
            *check_run(self._books, self._simulators, since, self._demo.invariants),
            incident.check_said(self._seen, lie),
            *incident.check_lie(lie, pauses),
            incident.check_pauses(pauses),
        ]

    def _play(self, seconds: float) -> None:
        """Let the price fall after a third of the time and rise again after two thirds."""
        slope = min(10.0, seconds / 8)
        self._watch(seconds / 3, "quiet trade")
        self._fall(seconds / 3, slope)
        self._watch(seconds * 2 / 3, "crash")
        self._order("the price recovers", lambda: self._simulators.recover(slope))
        self._watch(seconds, "recovery")

    def _play_forever(self) -> None:
        third, begins = ENDLESS_CYCLE_SECONDS / 3, 0.0
        while True:
            self._watch(begins + third, "quiet trade")
            self._fall(begins + third, 10)
            self._watch(begins + 2 * third, "crash")
            self._order("the price recovers", lambda: self._simulators.recover(10))
            begins += ENDLESS_CYCLE_SECONDS
            self._watch(begins, "recovery")

    def _fall(self, begins: float, slope: float) -> None:
        """Let the price fall in so many seconds, and play the incident meanwhile."""
        for step in incident.steps(self._simulators, self._people, slope):
            self._watch(begins + step.after, "crash")
            self._order(step.note, step.act)

    def _calm_down(self, since: datetime) -> None:
        """Let what is under way come to an end, for a bounded time."""
        self._order("no new loans and no faults: what is under way comes to an end", self._simulators.calm_down)
        begun = time.monotonic() - self._began
        self._watch(begun + CALM_AT_LEAST_SECONDS, "calm")
        self._watch(begun + CALM_AT_MOST_SECONDS, "calm", until=lambda: self._nothing_under_way(since))

    def _nothing_under_way(self, since: datetime) -> bool:
        try:
            counts, report = self._books.since(since), self._simulators.otc_report()
            sent, told = self._books.events_since(since), self._books.loan_events_since(since)
        except (psycopg.Error, requests.RequestException):
            return False
        under_way = counts["unsettled"] or counts["unsent"] or counts["unsent_loan_events"]
        return not under_way and report["distinctEvents"] >= len(sent) and report["distinctLoanEvents"] >= len(told)

    def _watch(self, until_elapsed: float, phase: str, until: Callable[[], bool] = lambda: False) -> None:
        """Keep everything running and the view fresh until so many seconds after the beginning, or a condition."""
        self._state.phase = phase
        while (elapsed := time.monotonic() - self._began) < until_elapsed:
            for name in self._demo.keep_running():
                self._note(f"{name} ended and is started again")
            self._state.elapsed = elapsed
            if elapsed - self._drawn >= DRAW_SECONDS:
                self._drawn = elapsed
                self._draw()
                if until():
                    return
            time.sleep(CHECK_SECONDS)

    def _draw(self) -> None:
        state = self._state
        try:
            state.said = self._demo.said()
            self._hear(state.said)
        except requests.RequestException:
            state.said = None
        try:
            state.figures = self._books.look(state.said.best if state.said else None)
        except psycopg.Error as error:
            self._note(f"the database does not answer: {str(error).splitlines()[0]}")
        try:
            state.events_received = int(self._simulators.otc_report()["distinctEvents"])
        except requests.RequestException:
            state.events_received = None
        state.processes = sum(kept.process.running for kept in self._demo.supervisor.kept.values())
        state.restarts, state.notes = self._demo.supervisor.restarts, tuple(self._notes)
        if self._options.screenshot is not None:
            self._screenshot.look(state)
        if self._live is not None:
            self._live.update(render(state, self._console.height), refresh=True)
        elif state.elapsed - self._lined >= LINE_SECONDS:
            self._lined = state.elapsed
            self._console.print(progress_line(state), highlight=False, soft_wrap=True)

    def _view(self) -> AbstractContextManager[object]:
        """Return the live view where there is a terminal, and nothing elsewhere."""
        if not self._console.is_terminal:
            return nullcontext()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        return self._live

    def _order(self, note: str, order: Callable[[], None]) -> None:
        """Give an order and note it; whoever is just being started again misses it, which is noted."""
        try:
            order()
            self._note(note)
        except (requests.RequestException, psycopg.Error, DemoError) as error:
            self._note(f"{note}: not everybody answered ({type(error).__name__})")

    def _hear(self, said: Said) -> None:
        """Note what the service doubts, whenever that changes."""
        before = doubts(self._seen[-1][1]) if self._seen else ()
        self._seen.append((datetime.now(UTC), said))
        if doubts(said) != before:
            self._note(f"the service says: {', '.join(doubts(said)) or 'no more doubts, nothing is paused'}")

    def _note(self, sentence: str) -> None:
        if not self._notes or not self._notes[-1].endswith(sentence):
            elapsed = time.monotonic() - self._began
            self._notes.append(f"{elapsed:.0f} s: {sentence}")
            if self._live is None:
                self._console.print(f"{elapsed:5.0f} s {sentence}", highlight=False, soft_wrap=True)

    def _report(self, sentence: str) -> None:
        self._console.print(sentence)

    def _links(self) -> list[tuple[str, str]]:
        web = f"http://localhost:{self._demo.addresses.web}"
        return [
            ("Desk", f"{web}/admin/"),
            ("Log in as", f"{', '.join(ACCOUNTS)}; the password is {PASSWORD}"),
            ("API docs", f"{web}/docs"),
            ("Flower", f"http://localhost:{self._demo.addresses.flower}/flower/"),
            ("Logs", os.path.relpath(self._demo.stack.log_folder)),
        ]
