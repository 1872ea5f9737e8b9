"""The commands of every process of the demo: what a deployment would run, and the simulated outside world."""

import sys
from collections.abc import Mapping
from pathlib import Path

from local.demo.settings import ROOT, Addresses, Options
from local.stack import ChildProcess
from local.stack.ports import LOOPBACK

CELERY = ("-m", "celery", "-A", "coruscant")
QUIET = ("--without-gossip", "--without-mingle")
WORKERS = {
    "prices": ("-Q", "prices", "-c", "2"),
    "risk": ("-Q", "risk,maintenance", "-c", "2"),
    "sales": ("-Q", "liquidations,events", "--pool", "threads", "-c", "48"),
}
LONGEST_WARM_SHUTDOWN_SECONDS = 12


class Programs:
    """Describes processes; starts none."""

    def __init__(
        self,
        options: Options,
        addresses: Addresses,
        environment: Mapping[str, str],
        log_folder: Path,
        service: Mapping[str, str],
    ) -> None:
        """Run web, workers, beat and Flower in the environment `service` and the rest in `environment`.

        Each process has a log of its own.
        """
        self._options = options
        self._addresses = addresses
        self._environment = environment
        self._service = service
        self._log_folder = log_folder

    def manage(self, *arguments: str) -> ChildProcess:
        """A management command."""
        return self._python(f"manage-{arguments[0]}", "manage.py", *arguments)

    def markets(self) -> list[ChildProcess]:
        """Both simulated markets."""
        return [self._market("mos_espa", self._options.seed), self._market("black_spire_outpost", self._options.seed)]

    def webs(self) -> list[ChildProcess]:
        """As many web servers as were asked for."""
        return [self._web(number) for number in range(1, self._options.web + 1)]

    def behind_the_web(self) -> list[ChildProcess]:
        """Workers and beats, as many as were asked for, and Flower."""
        options = self._options
        workers = [self._worker(name, number) for number in range(1, options.workers + 1) for name in WORKERS]
        beats = [self.beat(number) for number in range(1, options.beats + 1)]
        return [*workers, *beats, self._flower()]

    def otc(self) -> ChildProcess:
        """The simulated OTC service: clients who apply, post, top up, and hear of liquidations."""
        addresses, options = self._addresses, self._options
        arguments = ["--api", addresses.url("web"), "--port", str(addresses.otc)]
        arguments += ["--rate", str(options.rate), "--seed", str(options.seed)]
        return self._python("otc", "-m", "local.simulators.otc", *arguments)

    def _market(self, name: str, seed: int) -> ChildProcess:
        arguments = ["--market", name, "--port", str(getattr(self._addresses, name)), "--scenario", "volatile"]
        arguments += ["--seed", str(seed), "--faults", self._options.faults]
        return self._python(name.replace("_", "-"), "-m", "local.simulators.market", *arguments)

    def _web(self, number: int) -> ChildProcess:
        arguments = [
            "coruscant.wsgi",
            "--bind",
            f"{LOOPBACK}:{self._addresses.web}",
            "--workers",
            "2",
            "--threads",
            "4",
        ]
        arguments += ["--no-control-socket", "--graceful-timeout", "5"]
        if self._options.web > 1:
            arguments.append("--reuse-port")  # the kernel spreads connections over all that listen
        return self._serving(f"web-{number}", "-m", "gunicorn", *arguments)

    def _worker(self, name: str, number: int) -> ChildProcess:
        host = f"{name}{number}@%h"
        return self._serving(f"worker-{name}-{number}", *CELERY, "worker", *WORKERS[name], "-n", host, *QUIET)

    def beat(self, number: int) -> ChildProcess:
        """A scheduler; any number may run."""
        schedule = self._options.folder / f"celerybeat-schedule-{number}"
        arguments = ["beat", "--schedule", str(schedule)]
        return self._serving(f"beat-{number}", *CELERY, *arguments)

    def _flower(self) -> ChildProcess:
        arguments = [f"--address={LOOPBACK}", f"--port={self._addresses.flower}"]
        return self._serving("flower", *CELERY, "flower", *arguments)

    def _serving(self, name: str, *arguments: str) -> ChildProcess:
        return self._python(name, *arguments, environment=self._service)

    def _python(self, name: str, *arguments: str, environment: Mapping[str, str] | None = None) -> ChildProcess:
        return ChildProcess(
            name,
            [sys.executable, *arguments],
            log_path=self._log_folder / f"{name}.log",
            environment=self._environment if environment is None else environment,
            folder=ROOT,
            grace_seconds=LONGEST_WARM_SHUTDOWN_SECONDS,
        )
