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

from local.demo.machine_room import LOOK_SECONDS, MachineRoom
from local.demo.picture import Picture
from local.demo.settings import Options
from local.demo.verdict import judge, tell
from local.demo.view import Scene, progress_line, render
from local.stack import EmbeddedStack

CALM_AT_LEAST_SECONDS, CALM_AT_MOST_SECONDS = 10, 90
DRAW_SECONDS, LINE_SECONDS = 1.0, 5.0
ENDLESS_CYCLE_SECONDS = 90  # without --seconds the price falls and recovers once in so long


class Stage:
    """Holds what a run needs. `run` plays it; whoever made the stage calls `clear` afterwards, whatever happened."""

    def __init__(self, options: Options, stack: EmbeddedStack, console: Console) -> None:
        """Take a stack that runs."""
        self._options = options
        self._console = console
        self._room = MachineRoom(options, stack, self._say)
        self._books, self._world = self._room.books, self._room.world
        self._notes: deque[str] = deque(maxlen=4)
        self._scene = Scene(links=self._links())
        self._live: Live | None = None
        self._picture = Picture()
        self._began = self._drawn = self._lined = 0.0

    def run(self) -> int:
        """Play the demo; return 0, or 1 for a verdict with a failed check.

        Without --seconds it ends by KeyboardInterrupt only.
        """
        self._room.prepare()
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
        return tell(self._console, judge(self._books, self._world, since, self._room.invariants))

    def clear(self) -> None:
        """Stop every process and wait until they are gone."""
        self._room.clear()

    def _open(self) -> None:
        self._room.open()
        web = self._room.addresses.web
        if web != self._options.port:
            self._console.print(f"Port {self._options.port} is taken; the service is on {web}.")
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
            for name in self._room.keep_running():
                self._note(f"{name} ended and is started again")
            self._scene.elapsed = elapsed
            if elapsed - self._drawn >= DRAW_SECONDS:
                self._drawn = elapsed
                self._draw()
                if until():
                    return
            time.sleep(LOOK_SECONDS)

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
        scene.processes = sum(kept.process.running for kept in self._room.supervisor.kept.values())
        scene.restarts, scene.notes = self._room.supervisor.restarts, tuple(self._notes)
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

    def _say(self, sentence: str) -> None:
        self._console.print(sentence)

    def _links(self) -> list[tuple[str, str]]:
        web = f"http://localhost:{self._room.addresses.web}"
        return [
            ("Admin", f"{web}/admin/   log in as representative / demo"),
            ("API docs", f"{web}/docs"),
            ("Flower", f"http://localhost:{self._room.addresses.flower}"),
            ("Logs", os.path.relpath(self._room.stack.log_folder)),
        ]
