"""Checks in a thread of its own, during any fault, what must hold at every moment."""

import threading
from collections.abc import Callable

import requests

from local.demo.simulators import Simulators
from proofs.chaos import books

PAUSE_SECONDS = 2.0


class Monitor:
    """Checks the books and the markets again and again. `violations` are sentences, each once.

    In one snapshot a statement sees, each invariant that holds at every moment must hold. Against the markets' logs:
    no liquidation may have more units traded than it claimed, nothing may be traded that was not ordered before, and
    no fill may be booked that the market does not know.
    """

    def __init__(self, world: Simulators, elapsed: Callable[[], float]) -> None:
        """Ask the markets through `world`, which nobody else may use at the same time."""
        self.violations: dict[str, float] = {}
        self.looks = 0
        self.blind = 0
        self._world = world
        self._elapsed = elapsed
        self._over = threading.Event()
        self._looking = threading.Lock()
        self._paused = False
        self._thread = threading.Thread(target=self._run, name="monitor", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def pause(self) -> None:
        """Do not look from now on; return when the look under way has ended."""
        with self._looking:
            self._paused = True

    def resume(self) -> None:
        """Look again."""
        with self._looking:
            self._paused = False

    def stop(self) -> None:
        """End after the look under way. Harmless when repeated."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join(30)

    def _run(self) -> None:
        from django.db import Error, connection  # noqa: PLC0415  (not before the settings are there)

        while not self._over.wait(PAUSE_SECONDS):
            with self._looking:
                if self._paused:
                    continue
                try:
                    self._look()
                    self.looks += 1
                except (Error, requests.RequestException):  # cannot be read now; the verdict at the end will see it
                    connection.close()
                    self.blind += 1
        connection.close()

    def _look(self) -> None:
        from liquidation import invariants  # noqa: PLC0415

        for finding in invariants.check(at_every_moment=True):
            if finding.violations:
                self._violated(
                    f"{finding.invariant.name} ({finding.invariant.promise}) broken by {finding.violations} rows,"
                    f" such as {', '.join(finding.examples)}"
                )
        filled = [request_id for (request_id,) in books.rows(books.FILLED)]
        traded = {request_id: trade.units for request_id, trade in self._world.trades().items()}
        limits = {order: (pk, units) for order, pk, units in books.rows(books.LIMITS)}
        for sentence in books.oversold(traded, limits):
            self._violated(sentence)
        for request_id in filled:
            if request_id not in traded:
                self._violated(f"{request_id} is booked as filled, and no market knows it")

    def _violated(self, sentence: str) -> None:
        self.violations.setdefault(sentence, self._elapsed())
