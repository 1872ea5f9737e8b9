"""Every process of the demo: started, kept running and stopped. The chaos proof runs on it too."""

import time
from collections.abc import Callable, Mapping, Sequence

import requests

from local.demo.books import Books
from local.demo.errors import DemoError
from local.demo.programs import Programs
from local.demo.said import Said, read
from local.demo.settings import Addresses, Options, market_settings, service_environment
from local.demo.simulators import MARKETS, Simulators
from local.demo.supervisor import Supervisor
from local.stack import ChildProcess, EmbeddedStack
from local.stack.listening import PORT_ATTEMPTS, PortTakenError, wait_until_listening
from local.stack.server import Server

PREPARATION = (
    ("Making queues and topics", ("provision_messaging",)),
    (
        "Making log-ins for the bank's people",
        ("shell", "-c", "from local.demo import accounts; accounts.make()"),
    ),
)
COMMAND_SECONDS = 180
READY_SECONDS = 180
CHECK_SECONDS = 0.25
FRESH_SECONDS = 10


class RunningDemo:
    """Runs the service and the simulators on a stack. Call `keep_running` often, and `stop` at the end.

    `changes` are settings of the service's processes only: the simulators and management commands do not get them.
    Not to be shared between threads.
    """

    def __init__(
        self,
        options: Options,
        stack: EmbeddedStack,
        report: Callable[[str], None],
        changes: Mapping[str, str] | None = None,
    ) -> None:
        """Take a stack that runs; `report` prints a sentence about what is being done."""
        self.stack = stack
        self.addresses = Addresses.choose(options.port)
        self.programs = Programs(
            options, self.addresses, lambda: self.environment, stack.log_folder, dict(changes or {})
        )
        self.supervisor = Supervisor(options.folder / "demo.processes.json")
        self.books = Books(stack.environment["DATABASE_URL"])
        self.simulators = Simulators(self.addresses)
        self._environment = service_environment(options.folder, stack.environment, self.addresses)
        self._report = report
        self._held: set[str] = set()

    @property
    def environment(self) -> dict[str, str]:
        """The environment of management commands and simulators, with the addresses as they are now."""
        return self._environment | market_settings(self.addresses)

    def prepare(self) -> None:
        """End what an earlier run left, and make database, queues and log-in ready."""
        if left := self.supervisor.end_leftovers():
            self._report(f"Ended what an earlier run had left: {', '.join(left)}.")
        self._report("Migrating the database …")
        self.manage("migrate", "--noinput", DATABASE_URL=self.stack.postgres.owner_database_url)
        for sentence, command in PREPARATION:
            self._report(f"{sentence} …")
            self.manage(*command)

    def start(self) -> None:
        """Start the markets, the web, the OTC service and the workers, each when what it needs answers.

        An earlier run may have left sales that are published at once, and SNS drops events without a subscriber:
        so no worker starts before the OTC service listens.
        """
        self._report("Starting the markets …")
        for market in MARKETS:
            self.start_listening(market, lambda market=market: [self.programs.market(market)])  # type: ignore[misc]
        self.wait_for("the markets", lambda: [self.simulators.market_state(name) for name in MARKETS])
        self._report("Starting web, workers, beat and Flower …")
        self.start_listening("web", self.programs.webs)
        self.wait_for("the API", self.check_api)
        self.start_listening("otc", lambda: [self.programs.otc()])
        self.wait_for("the OTC service", self.check_otc_service_listens)
        self.supervisor.start(self.programs.workers_and_beats())
        self.start_listening("flower", lambda: [self.programs.flower()])

    def start_listening(self, address: str, describe: Callable[[], Sequence[ChildProcess]]) -> None:
        """Start processes and wait until they listen at an address, such as `web`.

        If another process has taken the port meanwhile, the address moves to the next free one. Raises
        EmbeddedStackError if the processes cannot listen there either, or not at all.
        """
        for attempt in range(1, PORT_ATTEMPTS + 1):
            processes = describe()
            self.supervisor.start(processes)
            try:
                for process in processes:
                    wait_until_listening(process, self.addresses.port(address), READY_SECONDS)
            except PortTakenError:
                self.supervisor.stop([process.name for process in processes])
                if attempt == PORT_ATTEMPTS:
                    raise
                self.addresses.move(address)
            else:
                return

    def check_api(self) -> None:
        """List loans over the API; raises requests.RequestException if that fails."""
        requests.get(f"{self.addresses.url('web')}/loans", timeout=5).raise_for_status()

    def said(self) -> Said:
        """Read what the service says of the price and of controls; raises requests.RequestException if that fails."""
        answer = requests.get(f"{self.addresses.url('web')}/metrics", timeout=5)
        answer.raise_for_status()
        return read(answer.text)

    def check_prices_arrive(self) -> None:
        """Look into the books; raises requests.RequestException if no market's last price is fresh."""
        if not any(quote.age < FRESH_SECONDS for quote in self.books.look().quotes.values()):
            raise requests.ConnectionError("no price has been read yet")

    def check_otc_service_listens(self) -> None:
        """Read its report; raises requests.RequestException if that fails, or its queue is not yet subscribed."""
        if not self.simulators.otc_report()["listening"]:
            raise requests.ConnectionError("it has not yet subscribed to the events")

    def keep_running(self) -> list[str]:
        """Start again what has ended, unless it is held down; return the names of what was found ended just now."""
        ended = self.supervisor.look()
        for server in self.stack.servers:
            if not server.running and server.name not in self._held:
                ended.append(server.name)
                server.start()
                if server is self.stack.sns_sqs:
                    self.manage("provision_messaging")
        return ended

    def hold_down(self, server: Server) -> None:
        """Do not start a server again until `let_go`."""
        self._held.add(server.name)

    def let_go(self, server: Server) -> None:
        """Start a server that was held down; it is kept running from now on."""
        server.start()
        self._held.discard(server.name)

    def invariants(self) -> str | None:
        """Run `check_invariants`; return its output if an invariant does not hold."""
        try:
            self.manage("check_invariants")
        except DemoError as error:
            return str(error)
        return None

    def manage(self, *command: str, **changes: str) -> None:
        """Run a management command to its end, with `changes` of its settings. Raises DemoError if it fails."""
        process = self.programs.manage(*command, **changes)
        process.start()
        code = process.wait(COMMAND_SECONDS)
        process.kill()
        if code != 0:
            outcome = "did not end in time" if code is None else f"failed with code {code}"
            raise DemoError(f"manage.py {command[0]} {outcome}.{process.log_tail()}")

    def wait_for(self, name: str, check: Callable[[], object]) -> None:
        """Repeat a check until it passes, and keep everything running meanwhile. Raises DemoError when time is up."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                check()
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    logs = self.stack.log_folder
                    raise DemoError(f"{name} did not answer within {READY_SECONDS} s: {error}; see {logs}.") from error
            else:
                return
            self.supervisor.look()
            time.sleep(CHECK_SECONDS)

    def stop(self) -> None:
        """Stop every process and wait until they are gone."""
        self.books.close()
        self.supervisor.stop()
