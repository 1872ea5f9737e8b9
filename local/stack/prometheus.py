"""Prometheus, which scrapes one web and evaluates alert rules: for proofs that alerts fire. Not part of the stack.

It is Debian's package `prometheus`, if that is installed.
"""

import json
import shutil
import socket
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

from local.stack.process import ChildProcess
from local.stack.server import Server

PROGRAM = "prometheus"
_TIMEOUT_SECONDS = 5


def installed() -> bool:
    """Whether there is one on this machine."""
    return shutil.which(PROGRAM) is not None


class PrometheusServer(Server):
    """Scrapes `target`, such as `127.0.0.1:4000`, every four seconds, and evaluates the rules of a file as often."""

    name = "prometheus"
    interval_seconds = 4

    def __init__(self, folder: Path, log_folder: Path, *, target: str, rules: Path) -> None:
        """Keep data under `folder`, which may be removed afterwards."""
        super().__init__(folder, log_folder)
        self._target, self._rules = target, rules

    def first_fired(self, name: str, seconds: float) -> float | None:
        """How many seconds ago an alert of this name first fired, within so many seconds; None if it did not."""
        firing, window = f'ALERTS{{alertname="{name}",alertstate="firing"}}', f"{int(seconds) + 1}s"
        found = self._query(f"time() - min(min_over_time(timestamp({firing})[{window}:{self.interval_seconds}s]))")
        return float(found[0]["value"][1]) if found else None

    def knows(self, metric: str) -> bool:
        """Whether it has scraped a metric just now. Not while it starts: then it answers 503."""
        try:
            return bool(self._query(metric))
        except urllib.error.HTTPError:
            return False

    def firing(self) -> set[str]:
        """The alerts that fire now."""
        return {sample["metric"]["alertname"] for sample in self._query('ALERTS{alertstate="firing"}')}

    def _query(self, text: str) -> list[dict[str, Any]]:
        query = urllib.parse.urlencode({"query": text})
        url = f"http://{self.host}:{self.port}/api/v1/query?{query}"
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found

    def _prepare(self) -> ChildProcess:
        self.folder.mkdir(parents=True, exist_ok=True)
        interval = f"{self.interval_seconds}s"
        configuration = {
            "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
            "rule_files": [str(self._rules)],
            "scrape_configs": [{"job_name": "coruscant-bank", "static_configs": [{"targets": [self._target]}]}],
        }
        file = self.folder / "prometheus.yml"
        file.write_text(json.dumps(configuration))  # JSON is YAML
        options = {
            "config.file": file,
            "storage.tsdb.path": self.folder / "data",
            "web.listen-address": f"{self.host}:{self.port}",
            "log.level": "warn",
        }
        command = [PROGRAM, *(f"--{name}={value}" for name, value in options.items())]
        return ChildProcess(self.name, command, log_path=self.log_path, folder=self.folder)

    def _answers(self) -> bool:
        with socket.create_connection((self.host, self.port), timeout=1):
            return True
