"""One run of the demo, from an empty machine room to the verdict."""

import os
import time
from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

import psycopg
import requests
from rich.console import Console
from rich.live import Live
from rich.markup import escape

from demo.books import Books
from demo.errors import DemoError
from demo.picture import Picture
from demo.programs import Programs
from demo.settings import Addresses, Options, service_environment
from demo.supervisor import Supervisor
from demo.verdict import Check, judge
from demo.view import Scene, progress_line, render
from demo.world import World
from embedded import EmbeddedStack

PREPARATION = (
    ("Migrating the database", ("migrate", "--noinput")),
    ("Making queues and topics", ("provision_messaging",)),
    ("Making the representative's log-in", ("create_demo_user",)),
)
COMMAND_SECONDS = 180
READY_SECONDS = 180
CALM_AT_LEAST_SECONDS, CALM_AT_MOST_SECONDS = 10, 90
LOOK_SECONDS, DRAW_SECONDS, LINE_SECONDS = 0.25, 1.0, 5.0
ENDLESS_CYCLE_SECONDS = 90  # without --seconds the price falls and recovers once in so long


class Stage:
    """Holds what a run needs. `run` plays it; whoever made the stage calls `clear` afterwards, whatever happened."""

    def __init__(self, options: Options, stack: EmbeddedStack, console: Console) -> None:
        """Take a stack that runs."""
        self._options = options
        self._stack = stack
        self._console = console
        self._addresses = Addresses.choose(options.port)
        environment = service_environment(options.folder, stack.environment, self._addresses)
        self._programs = Programs(options, self._addresses, environment, stack.log_folder)
        self._supervisor = Supervisor(options.folder / "demo.processes.json")
        self._books = Books(stack.environment["DATABASE_URL"])
        self._world = World(self._addresses)
        self._notes: deque[str] = deque(maxlen=4)
        self._scene = Scene(links=self._links())
        self._live: Live | None = None
        self._picture = Picture()
        self._began = self._drawn = self._lined = 0.0

    def run(self) -> int:
        """Play the demo; return 0, or 1 for a verdict with a failed check.

        Without --seconds it ends by KeyboardInterrupt only.
        """
        if left := self._supervisor.end_leftovers():
            self._console.print(f"Ended what an earlier run had left: {', '.join(left)}.")
        for sentence, command in PREPARATION:
            self._console.print(f"{sentence} …")
            self._manage(*command)
        since = self._books.now()
        self._scene.events_sent_before = self._books.look().sums["events_sent"]
        self._open()
        self._began = time.monotonic()
        with self._view():
            if self._options.seconds is None:
                self._play_for_ever()
            self._play(float(self._options.seconds or 0))
            if self._options.picture is not None:
                self._picture.write(self._options.picture)
            self._calm_down(since)
        return self._report(judge(self._books, self._world, since, self._invariants))

    def clear(self) -> None:
        """Stop every process and wait until they are gone."""
        self._books.close()
        self._supervisor.stop()

    def _open(self) -> None:
        self._console.print("Opening the markets …")
        self._supervisor.start(self._programs.markets())
        self._wait_for(
            "the markets", lambda: [self._world.market_state(name) for name in ("mos_espa", "black_spire_outpost")]
        )
        self._console.print("Starting web, workers, beat and Flower …")
        self._supervisor.start(self._programs.service())
        self._wait_for(
            "the API", lambda: requests.get(f"{self._addresses.url('web')}/loans", timeout=5).raise_for_status()
        )
        self._supervisor.start([self._programs.otc()])
        self._wait_for("the OTC service", self._world.otc_report)
        if self._addresses.web != self._options.port:
            self._console.print(f"Port {self._options.port} is taken; the service is on {self._addresses.web}.")
        for label, address in self._scene.links:
            self._console.print(f"  {label:10} {address}", highlight=False)

    def _play(self, seconds: float) -> None:
        """Let the price fall after a third of the time and rise again after two thirds."""
        slope = min(10.0, seconds / 8)
        self._watch(seconds / 3, "quiet trade")
        self._tell("the price falls by half", lambda: self._world.crash(slope))
        self._watch(seconds * 2 / 3, "crash")
        self._tell("the price recovers", lambda: self._world.recover(slope))
        self._watch(seconds, "recovery")

    def _play_for_ever(self) -> None:
        third, begins = ENDLESS_CYCLE_SECONDS / 3, 0.0
        while True:
            self._watch(begins + third, "quiet trade")
            self._tell("the price falls by half", lambda: self._world.crash(10))
            self._watch(begins + 2 * third, "crash")
            self._tell("the price recovers", lambda: self._world.recover(10))
            begins += ENDLESS_CYCLE_SECONDS
            self._watch(begins, "recovery")

    def _calm_down(self, since: datetime) -> None:
        """Let what is under way come to its end, for a bounded time."""
        self._tell("no new loans, no faults: what is under way comes to its end", self._world.calm_down)
        begun = time.monotonic() - self._began
        self._watch(begun + CALM_AT_LEAST_SECONDS, "calm")
        self._watch(begun + CALM_AT_MOST_SECONDS, "calm", until=lambda: self._nothing_under_way(since))

    def _nothing_under_way(self, since: datetime) -> bool:
        try:
            counts = self._books.since(since)
            heard = self._world.otc_report()["distinctEvents"]
            return not counts["unsettled"] and not counts["unsent"] and heard >= len(self._books.events_since(since))
        except (psycopg.Error, requests.RequestException):
            return False

    def _watch(self, until_elapsed: float, phase: str, until: Callable[[], bool] = lambda: False) -> None:
        """Keep everything running and the view fresh until so many seconds after the beginning, or a condition."""
        self._scene.phase = phase
        while (elapsed := time.monotonic() - self._began) < until_elapsed:
            self._keep_running()
            self._scene.elapsed = elapsed
            if elapsed - self._drawn >= DRAW_SECONDS:
                self._drawn = elapsed
                self._draw()
                if until():
                    return
            time.sleep(LOOK_SECONDS)

    def _keep_running(self) -> None:
        for name in self._supervisor.look():
            self._note(f"{name} ended and is started again")
        for server in self._stack.servers:
            if not server.running:
                self._note(f"{server.name} ended and is started again")
                server.start()
                if server is self._stack.sns_sqs:
                    self._manage("provision_messaging")

    def _draw(self) -> None:
        scene = self._scene
        try:
            scene.figures = self._books.look()
        except psycopg.Error as error:
            self._note(f"the database does not answer: {str(error).splitlines()[0]}")
        try:
            scene.events_heard = int(self._world.otc_report()["distinctEvents"])
        except requests.RequestException:
            scene.events_heard = None
        scene.processes = sum(kept.process.running for kept in self._supervisor.kept.values())
        scene.restarts, scene.notes = self._supervisor.restarts, tuple(self._notes)
        if self._options.picture is not None:
            self._picture.look(scene)
        if self._live is not None:
            self._live.update(render(scene, self._console.height), refresh=True)
        elif scene.elapsed - self._lined >= LINE_SECONDS:
            self._lined = scene.elapsed
            self._console.print(progress_line(scene), highlight=False, soft_wrap=True)

    def _view(self) -> AbstractContextManager[object]:
        """Return the live view where there is a terminal, and nothing elsewhere."""
        if not self._console.is_terminal:
            return nullcontext()
        self._live = Live(console=self._console, screen=True, auto_refresh=False)
        return self._live

    def _tell(self, note: str, order: Callable[[], None]) -> None:
        """Give the simulators an order; one that is just being started again misses it, and that is said."""
        try:
            order()
            self._note(note)
        except requests.RequestException as error:
            self._note(f"{note}: not everybody heard ({type(error).__name__})")

    def _note(self, sentence: str) -> None:
        if not self._notes or not self._notes[-1].endswith(sentence):
            self._notes.append(f"{self._scene.elapsed:.0f} s: {sentence}")
            if self._live is None:
                self._console.print(f"{self._scene.elapsed:5.0f} s {sentence}", highlight=False, soft_wrap=True)

    def _report(self, checks: list[Check]) -> int:
        for check in checks:
            mark = "[green]ok    [/]" if check.passed else "[bold red]FAILED[/]"
            self._console.print(f"  {mark} {escape(check.sentence)}", highlight=False, soft_wrap=True)
        failed = sum(not check.passed for check in checks)
        self._console.print(f"{failed} of {len(checks)} checks failed." if failed else "Everything holds.")
        return 1 if failed else 0

    def _invariants(self) -> str | None:
        try:
            self._manage("check_invariants")
        except DemoError as error:
            return str(error)
        return None

    def _manage(self, *command: str) -> None:
        process = self._programs.manage(*command)
        process.start()
        code = process.wait(COMMAND_SECONDS)
        process.kill()
        if code != 0:
            outcome = "did not end in time" if code is None else f"failed with code {code}"
            raise DemoError(f"manage.py {command[0]} {outcome}.{process.log_tail()}")

    def _wait_for(self, name: str, question: Callable[[], object]) -> None:
        """Ask until there is an answer, while the supervisor keeps watch."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                question()
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    logs = self._stack.log_folder
                    raise DemoError(f"{name} did not answer within {READY_SECONDS} s: {error}; see {logs}.") from error
            else:
                return
            self._supervisor.look()
            time.sleep(LOOK_SECONDS)

    def _links(self) -> list[tuple[str, str]]:
        web = f"http://localhost:{self._addresses.web}"
        return [
            ("Admin", f"{web}/admin/   log in as representative / demo"),
            ("API docs", f"{web}/docs"),
            ("Flower", f"http://localhost:{self._addresses.flower}"),
            ("Logs", os.path.relpath(self._stack.log_folder)),
        ]
