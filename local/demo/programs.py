"""The commands of every process of the demo: what a deployment would run, and the simulated outside world."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from local.demo.settings import ROOT, Addresses, Options
from local.processes import BEAT, FLOWER, QUIET, WEB, WORKERS, Worker, with_this_python
from local.stack import ChildProcess
from local.stack.ports import LOOPBACK

#: Shorter than in production: whoever presses Ctrl-C will not wait for a long poll. A kill loses nothing.
GRACE_SECONDS = 12


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
        numbers = range(1, options.workers + 1)
        workers = [self._worker(worker, number) for number in numbers for worker in WORKERS.values()]
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
        options = ["--no-control-socket", "--graceful-timeout", "5"]
        if self._options.web > 1:
            options.append("--reuse-port")  # the kernel spreads connections over all that listen
        return self._serving(f"web-{number}", WEB.command(f"{LOOPBACK}:{self._addresses.web}", *options))

    def _worker(self, worker: Worker, number: int) -> ChildProcess:
        command = worker.command(f"{worker.name}{number}@%h", *QUIET)
        return self._serving(f"worker-{worker.name}-{number}", command)

    def beat(self, number: int) -> ChildProcess:
        """A scheduler; any number may run."""
        schedule = self._options.folder / f"celerybeat-schedule-{number}"
        return self._serving(f"beat-{number}", BEAT.command(str(schedule)))

    def _flower(self) -> ChildProcess:
        return self._serving("flower", FLOWER.command(LOOPBACK, self._addresses.flower))

    def _serving(self, name: str, command: Sequence[str]) -> ChildProcess:
        return self._process(name, with_this_python(command), self._service)

    def _python(self, name: str, *arguments: str) -> ChildProcess:
        return self._process(name, (sys.executable, *arguments), self._environment)

    def _process(self, name: str, command: Sequence[str], environment: Mapping[str, str]) -> ChildProcess:
        return ChildProcess(
            name,
            command,
            log_path=self._log_folder / f"{name}.log",
            environment=environment,
            folder=ROOT,
            grace_seconds=GRACE_SECONDS,
        )
