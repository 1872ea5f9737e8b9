"""The whole service as processes on an embedded stack, between two simulated markets."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from io import StringIO
from pathlib import Path
from typing import Any

import redis
import requests
from django.core.management import call_command
from django.db import connection

from liquidation import invariants
from liquidation.models import LiquidationEvent, TradeOrder
from local.processes import with_this_python
from local.simulators.messaging import sqs_client
from local.simulators.testing import RunningMarket, running_market
from local.stack import ChildProcess, EmbeddedStack, EmbeddedStackError
from local.stack.listening import on_a_free_port, wait_until_listening
from proofs.service.branch import Branch
from proofs.service.topology import Commands, small

ROOT = Path(__file__).resolve().parents[2]
#: Shorter than the defaults, so that what must expire does so soon.
SHORT = {"LEASE_SECONDS": "6", "MARKET_TIMEOUT_SECONDS": "4", "RECOVERY_PERIOD_SECONDS": "1"}


class NotAsPromised(AssertionError):
    """The service did not do what it promises; the sentence says what."""


class RunningService:
    """The processes of the service, with what a proof does to them and asks of them."""

    #: So long anything is waited for, unless it is said otherwise.
    patience_seconds: float = 60

    def __init__(self, stack: EmbeddedStack, mos_espa: RunningMarket, black_spire_outpost: RunningMarket) -> None:
        """Run between these markets; `describe` says what, and `start` runs it."""
        self.stack = stack
        self.mos_espa = mos_espa
        self.black_spire_outpost = black_spire_outpost
        self.port = 0
        self.branch = Branch(stack.sns_sqs.endpoint_url, f"branch-{os.getpid()}-{time.monotonic_ns()}")
        self.processes: dict[str, ChildProcess] = {}
        self._make_processes: Callable[[int], dict[str, ChildProcess]] = lambda _port: {}

    @property
    def markets(self) -> tuple[RunningMarket, RunningMarket]:
        """Both markets."""
        return (self.mos_espa, self.black_spire_outpost)

    @property
    def stand_in(self) -> str:
        """The name of a process that is not started with the others: none here."""
        return ""

    def describe(
        self,
        commands: Callable[[int], Mapping[str, tuple[str, ...]]],
        environment: Mapping[str, str],
        own: Mapping[str, Mapping[str, str]] | None = None,
        checkout: Path = ROOT,
    ) -> None:
        """Say what runs for a port of the API, in which environment, and which process gets settings of its `own`.

        The code is that of a checkout.
        """
        log = "system" if checkout == ROOT else checkout.name

        def make(port: int) -> dict[str, ChildProcess]:
            return {
                name: ChildProcess(
                    name,
                    with_this_python(command),
                    log_path=self.stack.log_folder / f"{log}-{name}.log",
                    environment={**environment, **(own or {}).get(name, {})},
                    folder=checkout,
                    grace_seconds=5,
                )
                for name, command in commands(port).items()
            }

        self._make_processes = make

    def start(self) -> None:
        """Start everything but the stand-in, the API on a free port, and wait for the API."""
        on_a_free_port(self._start_web)
        self.run([process for process in self._to_start() if not process.name.startswith("web-")])
        self.wait_for_the_api()

    def run(self, processes: list[ChildProcess]) -> None:
        """Start some processes."""
        for process in processes:
            process.start()

    def _start_web(self, port: int) -> None:
        """Start the web processes on a port. Raises PortTakenError, with none of them running."""
        self.port, self.processes = port, self._make_processes(port)
        webs = [process for process in self._to_start() if process.name.startswith("web-")]
        self.run(webs)
        try:
            for web in webs:
                wait_until_listening(web, port)
        except EmbeddedStackError:
            for web in webs:
                web.stop()
            raise

    def _to_start(self) -> list[ChildProcess]:
        return [process for name, process in self.processes.items() if name != self.stand_in]

    def wait_for_the_api(self) -> None:
        """Wait until the API answers."""
        self.eventually(lambda: self.get("/health/ready").status_code == 200, "the API answers")

    def kill(self, name: str) -> None:
        """End a process and its children with SIGKILL, then start it again, as a supervisor would."""
        self.processes[name].kill()
        self.processes[name].start()

    def post(self, path: str, **body: str) -> requests.Response:
        """POST to the API."""
        return requests.post(f"http://127.0.0.1:{self.port}{path}", json=body, timeout=10)

    def get(self, path: str) -> requests.Response:
        """GET from the API; one that does not answer reads as 503."""
        try:
            return requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=10)
        except (requests.ConnectionError, requests.Timeout):
            answer = requests.Response()
            answer.status_code = 503
            return answer

    def lend(self, loan_id: str, *, amount: str, collateral: str) -> None:
        """Apply for a loan and post its collateral."""
        applied = self.post(
            "/loan-applications", requestId=f"a-{loan_id}", loanId=loan_id, amount=amount, borrowerId="B"
        )
        require(applied.status_code == 202, applied.text)
        posted = self.post(
            "/collateral-top-ups", requestId=f"c-{loan_id}", loanId=loan_id, borrowerId="B", amount=collateral
        )
        require(posted.status_code == 202, posted.text)

    def loans(self, status: str) -> int:
        """How many loans have this status."""
        return self.count("SELECT count(*) FROM loans_loan WHERE status = %s", status)

    def count(self, query: str, *parameters: str) -> int:
        """The one figure that a query finds."""
        with connection.cursor() as cursor:
            cursor.execute(query, parameters)
            return int(cursor.fetchone()[0])

    def set_price(self, price: str) -> None:
        """Both markets publish this price from now on."""
        for market in self.markets:
            market.set_price(price)

    def look(self) -> None:
        """Do what must be done while waiting: nothing here."""

    def eventually(self, true: Callable[[], object], what: str, seconds: float | None = None) -> None:
        """Wait until something is true. Raises NotAsPromised after so many seconds."""
        seconds = seconds or self.patience_seconds
        deadline = time.monotonic() + seconds
        while not true():
            if time.monotonic() > deadline:
                raise NotAsPromised(f"not within {seconds} s: {what}\n{self._tails()}")
            self.look()
            time.sleep(0.1)

    def everything_is_settled(self) -> bool:
        """Whether no liquidation is open and no event unsent."""
        unfinished = self.count(
            "SELECT (SELECT count(*) FROM liquidation_liquidation WHERE status <> 'settled')"
            " + (SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NULL)"
        )
        return unfinished == 0

    def books_and_markets_agree(self) -> None:
        """Every trade in the markets' own logs is booked with the same figures, and the reverse; no promise broken."""
        traded = {
            order["requestId"]: (Decimal(order["units"]), Decimal(order["proceeds"]))
            for market in self.markets
            for order in market.orders()
        }
        booked = {
            order.request_id: (order.units_traded, order.proceeds)
            for order in TradeOrder.objects.filter(status="filled")
        }
        require(booked == traded, f"the markets traded {traded}, booked is {booked}")
        broken = [finding for finding in invariants.check() if finding.violations]
        require(not broken, f"broken promises: {broken}")

    def every_event_was_heard(self) -> None:
        """The branch heard each settled liquidation's event, the same bytes every time, and nothing else."""
        heard, written = set(self.branch.heard()), set(LiquidationEvent.objects.values_list("body", flat=True))
        require(heard == written, f"heard were {heard}, written {written}")

    def _tails(self) -> str:
        return "\n".join(process.log_tail() for process in self.processes.values())


def require(true: object, otherwise: str) -> None:
    """Raise NotAsPromised with a sentence unless something is true."""
    if not true:
        raise NotAsPromised(otherwise)


@contextmanager
def outside_world(stack: EmbeddedStack, *, price: str = "50", **market: Any) -> Iterator[list[RunningMarket]]:
    """Two markets that publish, with empty queues and an empty broker."""
    empty_queues(stack)
    call_command("provision_messaging", stdout=StringIO())
    options: dict[str, Any] = {
        "sns_endpoint": stack.sns_sqs.endpoint_url,
        "price": price,
        "interval_seconds": Decimal("0.5"),
    } | market
    with ExitStack() as everything:
        yield [
            everything.enter_context(running_market(name, **options)) for name in ("mos_espa", "black_spire_outpost")
        ]


def service_environment(service: RunningService) -> dict[str, str]:
    """This process's environment, with the markets' addresses and, under the service's role, the database used here."""
    database, _, _name = service.stack.environment["DATABASE_URL"].rpartition("/")
    return os.environ | {
        "DATABASE_URL": f"{database}/{connection.settings_dict['NAME']}",
        "MOS_ESPA_URL": service.mos_espa.url,
        "BLACK_SPIRE_OUTPOST_URL": service.black_spire_outpost.url,
    }


@contextmanager
def running_service(
    stack: EmbeddedStack, *, price: str = "50", copies: int = 1, commands: Commands = small, **market: Any
) -> Iterator[RunningService]:
    """Run the service on the test database; Django's own connection must see committed rows."""
    with outside_world(stack, price=price, **market) as markets:
        service = RunningService(stack, *markets)
        service.describe(lambda port: commands(port, stack.folder, copies), service_environment(service) | SHORT)
        service.branch.listen()
        try:
            service.start()
            yield service
        finally:
            for process in service.processes.values():
                process.ask_to_stop()
            for process in service.processes.values():
                process.stop()
            service.branch.leave()


def empty_queues(stack: EmbeddedStack) -> None:
    """Take away what was left in the price queues and in the broker."""
    redis.Redis.from_url(stack.valkey.administrator_url()).flushall()
    sqs = sqs_client(stack.sns_sqs.endpoint_url)
    for url in sqs.list_queues(QueueNamePrefix="coruscant-").get("QueueUrls", []):
        sqs.purge_queue(QueueUrl=url)


def as_event(body: str) -> dict[str, str]:
    """An event's seven strings."""
    found: dict[str, str] = json.loads(body)
    require(len(found) == 7, f"not seven keys: {body}")
    return found
