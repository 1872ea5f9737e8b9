"""Prometheus with the service's own alert rules, beside a run whose faults have alerts."""

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from local.demo.settings import ROOT
from local.stack.prometheus import PrometheusServer, installed

RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"
AFTER_SECONDS = 10.0
"""How long after a recovery an alert may come: it scrapes and evaluates every other second."""


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

    def wait_for(self, alerts: Iterable[str], began: float, wait: Callable[[], None]) -> dict[str, float | None]:
        """After how many seconds each alert fired, counted from `began` by the steady clock; None if it did not.

        Calls `wait` while one has not come yet.
        """
        until = time.monotonic() + AFTER_SECONDS
        fired: dict[str, float | None] = dict.fromkeys(sorted(alerts))
        while self._server is not None:
            for alert in [alert for alert, after in fired.items() if after is None]:
                since = time.monotonic() - began
                ago = self._server.first_fired(alert, since)
                fired[alert] = None if ago is None else max(0.0, since - ago)
            if None not in fired.values() or time.monotonic() > until:
                return fired
            wait()
        return {}
