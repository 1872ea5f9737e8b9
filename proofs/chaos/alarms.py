"""Prometheus with the service's own alert rules, beside a run whose faults have alerts."""

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from local.demo.settings import ROOT
from local.stack.prometheus import PrometheusServer, installed

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
AFTER_SECONDS = 10.0
"""How long after a recovery an alert may come: it scrapes and evaluates every four seconds."""


class Alarms:
    """Whether alerts fire; nobody looks before `start`, nor where Prometheus is not installed."""

    def __init__(self, folder: Path, log_folder: Path) -> None:
        """Keep its data under `folder`, which is removed by `start`."""
        self._folder, self._log_folder = folder, log_folder
        self._server: PrometheusServer | None = None

    @property
    def watched(self) -> bool:
        """Whether anybody looks."""
        return self._server is not None

    def start(self, target: str) -> None:
        """Scrape a web, such as `127.0.0.1:4000`, if there is a Prometheus."""
        if installed():
            shutil.rmtree(self._folder, ignore_errors=True)
            self._server = PrometheusServer(self._folder, self._log_folder, target=target, rules=RULES)
            self._server.start()

    def stop(self) -> None:
        """End. Harmless when repeated."""
        if self._server is not None:
            self._server.stop()

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return self._server.firing() if self._server is not None else set()

    def fired(self, alerts: Iterable[str], began: float) -> dict[str, float | None]:
        """After how many seconds each alert first fired, from `began` on by the steady clock; None if it has not."""
        fired: dict[str, float | None] = {}
        if self._server is None:
            return fired
        for alert in sorted(alerts):
            since = time.monotonic() - began
            ago = self._server.first_fired(alert, since)
            fired[alert] = None if ago is None else max(0.0, since - ago)
        return fired

    def wait_for(self, alerts: Iterable[str], began: float, wait: Callable[[], None]) -> dict[str, float | None]:
        """The same, once all have fired or AFTER_SECONDS are over; calls `wait` meanwhile."""
        until = time.monotonic() + AFTER_SECONDS
        while None in (fired := self.fired(alerts, began)).values() and time.monotonic() < until:
            wait()
        return fired
