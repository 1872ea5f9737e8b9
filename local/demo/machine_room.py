"""The machine room: every process of the demo, started, kept running and stopped; also for others who play on it."""

import time
from collections.abc import Callable, Mapping

import requests

from local.demo.books import Books
from local.demo.errors import DemoError
from local.demo.programs import Programs
from local.demo.settings import Addresses, Options, service_environment
from local.demo.supervisor import Supervisor
from local.demo.world import MARKETS, World
from local.stack import EmbeddedStack
from local.stack.server import Server

PREPARATION = (
    ("Migrating the database", ("migrate", "--noinput")),
    ("Making queues and topics", ("provision_messaging",)),
    ("Making the representative's log-in", ("create_demo_user",)),
)
COMMAND_SECONDS = 180
READY_SECONDS = 180
LOOK_SECONDS = 0.25


class MachineRoom:
    """Runs the service and the outside world on a stack. Call `keep_running` often, and `clear` at the end.

    `changes` are settings of the service's processes only: the outside world and management commands do not get
    them. Not to be shared between threads.
    """

    def __init__(
        self,
        options: Options,
        stack: EmbeddedStack,
        tell: Callable[[str], None],
        changes: Mapping[str, str] | None = None,
    ) -> None:
        """Take a stack that runs, and a way to tell a person what is being done."""
        self.stack = stack
        self.addresses = Addresses.choose(options.port)
        self.environment = service_environment(options.folder, stack.environment, self.addresses)
        self.programs = Programs(
            options, self.addresses, self.environment, stack.log_folder, self.environment | dict(changes or {})
        )
        self.supervisor = Supervisor(options.folder / "demo.processes.json")
        self.books = Books(stack.environment["DATABASE_URL"])
        self.world = World(self.addresses)
        self._tell = tell
        self._held: set[str] = set()

    def prepare(self) -> None:
        """End what an earlier run left, and make database, queues and log-in ready."""
        if left := self.supervisor.end_leftovers():
            self._tell(f"Ended what an earlier run had left: {', '.join(left)}.")
        for sentence, command in PREPARATION:
            self._tell(f"{sentence} …")
            self.manage(*command)

    def open(self) -> None:
        """Start the markets, the web, the OTC service and the workers, each when what it needs answers.

        An earlier run may have left sales that are published at once, and SNS forgets whatever nobody subscribed to:
        so nobody sells before the OTC service listens.
        """
        self._tell("Opening the markets …")
        self.supervisor.start(self.programs.markets())
        self.wait_for("the markets", lambda: [self.world.market_state(name) for name in MARKETS])
        self._tell("Starting web, workers, beat and Flower …")
        self.supervisor.start(self.programs.webs())
        self.wait_for("the API", self.ask_api)
        self.supervisor.start([self.programs.otc()])
        self.wait_for("the OTC service", self.ask_whether_the_otc_service_listens)
        self.supervisor.start(self.programs.behind_the_web())

    def ask_api(self) -> None:
        """List loans over the API; raises requests.RequestException if that fails."""
        requests.get(f"{self.addresses.url('web')}/loans", timeout=5).raise_for_status()

    def ask_whether_the_otc_service_listens(self) -> None:
        """Ask for its report; raises requests.RequestException if that fails, or its queue is not yet subscribed."""
        if not self.world.otc_report()["listening"]:
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
        """Do not start a server again until it is let go."""
        self._held.add(server.name)

    def let_go(self, server: Server) -> None:
        """Start a server that was held down; it is kept running from now on."""
        server.start()
        self._held.discard(server.name)

    def invariants(self) -> str | None:
        """Run `check_invariants`; return what it says if a promise is broken."""
        try:
            self.manage("check_invariants")
        except DemoError as error:
            return str(error)
        return None

    def manage(self, *command: str) -> None:
        """Run a management command to its end. Raises DemoError if it fails."""
        process = self.programs.manage(*command)
        process.start()
        code = process.wait(COMMAND_SECONDS)
        process.kill()
        if code != 0:
            outcome = "did not end in time" if code is None else f"failed with code {code}"
            raise DemoError(f"manage.py {command[0]} {outcome}.{process.log_tail()}")

    def wait_for(self, name: str, question: Callable[[], object]) -> None:
        """Ask until there is an answer, while the supervisor keeps watch. Raises DemoError when time is up."""
        deadline = time.monotonic() + READY_SECONDS
        while True:
            try:
                question()
            except requests.RequestException as error:
                if time.monotonic() > deadline:
                    logs = self.stack.log_folder
                    raise DemoError(f"{name} did not answer within {READY_SECONDS} s: {error}; see {logs}.") from error
            else:
                return
            self.supervisor.look()
            time.sleep(LOOK_SECONDS)

    def clear(self) -> None:
        """Stop every process and wait until they are gone."""
        self.books.close()
        self.supervisor.stop()
