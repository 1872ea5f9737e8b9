"""Every process of the demo: those of a deployment, the simulated markets and the simulated OTC service."""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from local.demo.logins import BASIC_AUTH
from local.demo.settings import ROOT, Addresses, Options
from local.processes import BEAT, FLOWER, WEB, WORKERS, Worker, with_this_python
from local.stack import ChildProcess
from local.stack.ports import LOOPBACK

#: Shorter than in production: nobody who presses Ctrl-C should wait for a long poll to end. A kill loses nothing.
GRACE_SECONDS = 12


class Programs:
    """Describes processes; starts none."""

    def __init__(
        self,
        options: Options,
        addresses: Addresses,
        environment: Callable[[], Mapping[str, str]],
        log_folder: Path,
        changes: Mapping[str, str],
    ) -> None:
        """Run every process in `environment`, asked for each time, with a log of its own.

        `changes` are settings that only web, workers, beat and Flower get.
        """
        self._options = options
        self._addresses = addresses
        self._environment = environment
        self._changes = changes
        self._log_folder = log_folder

    def manage(self, *arguments: str, **changes: str) -> ChildProcess:
        """A management command, with `changes` of its settings."""
        command = (sys.executable, "manage.py", *arguments)
        return self._process(f"manage-{arguments[0]}", command, {**self._environment(), **changes})

    def market(self, name: str) -> ChildProcess:
        """A simulated market."""
        arguments = ["--market", name, "--port", str(self._addresses.port(name)), "--scenario", "volatile"]
        arguments += ["--seed", str(self._options.seed), "--faults", self._options.faults]
        return self._python(name.replace("_", "-"), "-m", "local.simulators.market", *arguments)

    def webs(self, **changes: str) -> list[ChildProcess]:
        """As many web servers as were asked for, with `changes` of their settings."""
        return [self._web(number, changes) for number in range(1, self._options.web + 1)]

    def workers_and_beats(self) -> list[ChildProcess]:
        """Workers and beats, as many as were asked for."""
        options = self._options
        numbers = range(1, options.workers + 1)
        workers = [self.worker(worker, number) for number in numbers for worker in WORKERS.values()]
        beats = [self.beat(number) for number in range(1, options.beats + 1)]
        return [*workers, *beats]

    def otc(self) -> ChildProcess:
        """The simulated OTC service: clients who apply, post collateral and top up, and a listener for events."""
        addresses, options = self._addresses, self._options
        arguments = ["--api", addresses.url("web"), "--port", str(addresses.otc)]
        arguments += ["--rate", str(options.rate), "--seed", str(options.seed)]
        return self._python("otc", "-m", "local.simulators.otc", *arguments)

    def _web(self, number: int, changes: Mapping[str, str]) -> ChildProcess:
        options = ["--no-control-socket", "--graceful-timeout", "5"]
        if self._options.web > 1:
            options.append("--reuse-port")  # the kernel spreads connections over all that listen
        return self._serving(f"web-{number}", WEB.command(f"{LOOPBACK}:{self._addresses.web}", *options), **changes)

    def worker(self, worker: Worker, number: int) -> ChildProcess:
        """One worker of a kind; any number may run."""
        command = worker.command(f"{worker.name}{number}@%h")
        return self._serving(f"worker-{worker.name}-{number}", command)

    def beat(self, number: int) -> ChildProcess:
        """A scheduler; any number may run."""
        schedule = self._options.folder / f"celerybeat-schedule-{number}"
        return self._serving(f"beat-{number}", BEAT.command(str(schedule)))

    def flower(self) -> ChildProcess:
        """Flower, for the log-ins of the desk."""
        return self._serving("flower", FLOWER.command(LOOPBACK, self._addresses.flower), FLOWER_BASIC_AUTH=BASIC_AUTH)

    def _serving(self, name: str, command: Sequence[str], **settings: str) -> ChildProcess:
        return self._process(name, with_this_python(command), {**self._environment(), **self._changes, **settings})

    def _python(self, name: str, *arguments: str) -> ChildProcess:
        return self._process(name, (sys.executable, *arguments), self._environment())

    def _process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> ChildProcess:
        return ChildProcess(
            name,
            command,
            log_path=self._log_folder / f"{name}.log",
            environment=environment,
            folder=ROOT,
            grace_seconds=GRACE_SECONDS,
        )
