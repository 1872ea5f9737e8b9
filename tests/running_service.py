"""The whole service as processes on the run's embedded stack, between two simulated markets, for system tests."""

import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import boto3
import requests
from django.core.management import call_command
from django.db import connection

from embedded import ChildProcess, EmbeddedStack
from embedded.ports import free_port
from liquidation import invariants
from liquidation.models import LiquidationEvent, TradeOrder
from simulators.testing import RunningMarket, running_market

ROOT = Path(__file__).resolve().parent.parent
EVENT_TOPIC = "coruscant-bank-loan-liquidation-events"
CELERY = ("-m", "celery", "-A", "coruscant")
QUIET = ("--without-gossip", "--without-mingle")


class RunningService:
    """Web, two workers and a beat, with what a test does to them and asks of them."""

    def __init__(self, stack: EmbeddedStack, mos_espa: RunningMarket, black_spire_outpost: RunningMarket) -> None:
        """Describe the processes; `start` runs them."""
        self.stack = stack
        self.mos_espa = mos_espa
        self.black_spire_outpost = black_spire_outpost
        self.port = free_port()
        self._events_url = ""
        self._sqs: Any = boto3.client("sqs", endpoint_url=stack.sns_sqs.endpoint_url, region_name=stack.sns_sqs.region)
        self.processes: dict[str, ChildProcess] = {}

    @property
    def markets(self) -> tuple[RunningMarket, RunningMarket]:
        """Both markets."""
        return (self.mos_espa, self.black_spire_outpost)

    def describe(self, environment: Mapping[str, str], copies: int = 1) -> None:
        """Say what is to run, so many of each."""
        gunicorn = ("-m", "gunicorn", "coruscant.wsgi", "--bind", f"127.0.0.1:{self.port}", "--threads", "4",
                    "--reuse-port", "--no-control-socket")  # fmt: skip
        worker = (*CELERY, "worker", *QUIET)
        commands: dict[str, tuple[str, ...]] = {}
        for number in range(1, copies + 1):
            commands |= {
                f"web-{number}": gunicorn,
                f"prices-{number}": (*worker, "-Q", "prices,risk,maintenance", "-P", "threads", "-c", "5",
                                     "-n", f"prices-{number}@test"),
                f"sales-{number}": (*worker, "-Q", "liquidations,events", "-P", "threads", "-c", "8",
                                    "-n", f"sales-{number}@test"),
                f"beat-{number}": (*CELERY, "beat", "--schedule", str(self.stack.folder / f"schedule-{number}")),
            }  # fmt: skip
        for name, command in commands.items():
            self.processes[name] = ChildProcess(
                name,
                [sys.executable, *command],
                log_path=self.stack.log_folder / f"system-{name}.log",
                environment=environment,
                folder=ROOT,
                grace_seconds=5,
            )

    def start(self) -> None:
        """Start everything and wait for the API."""
        for process in self.processes.values():
            process.start()
        self.eventually(lambda: self.get("/health/ready").status_code == 200, "the API answers", seconds=60)

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
        assert applied.status_code == 202, applied.text
        posted = self.post(
            "/collateral-top-ups", requestId=f"c-{loan_id}", loanId=loan_id, borrowerId="B", amount=collateral
        )
        assert posted.status_code == 202, posted.text

    def loans(self, status: str) -> int:
        """How many loans have this status."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM loans_loan WHERE status = %s", [status])
            return int(cursor.fetchone()[0])

    def set_price(self, price: str) -> None:
        """Both markets publish this price from now on."""
        for market in self.markets:
            market.set_price(price)

    def listen(self) -> None:
        """Subscribe a new queue to the bank's event topic."""
        sns: Any = boto3.client(
            "sns", endpoint_url=self.stack.sns_sqs.endpoint_url, region_name=self.stack.sns_sqs.region
        )
        self._events_url = self._sqs.create_queue(QueueName=f"branch-{self.port}-{time.monotonic_ns()}")["QueueUrl"]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self._events_url, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=sns.create_topic(Name=EVENT_TOPIC)["TopicArn"],
            Protocol="sqs",
            Endpoint=attributes["Attributes"]["QueueArn"],
            Attributes={"RawMessageDelivery": "true"},
        )

    def heard(self) -> list[str]:
        """The bodies of all events that wait in the branch's queue; they are removed."""
        bodies: list[str] = []
        while True:
            found = self._sqs.receive_message(QueueUrl=self._events_url, MaxNumberOfMessages=10).get("Messages", [])
            if not found:
                return bodies
            for message in found:
                bodies.append(message["Body"])
                self._sqs.delete_message(QueueUrl=self._events_url, ReceiptHandle=message["ReceiptHandle"])

    def eventually(self, true: Callable[[], object], what: str, seconds: float = 60) -> None:
        """Wait until something is true."""
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, f"not within {seconds} s: {what}\n{self._tails()}"
            time.sleep(0.1)

    def everything_is_settled(self) -> bool:
        """Whether no liquidation is open and no event unsent."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT (SELECT count(*) FROM liquidation_liquidation WHERE status <> 'settled')"
                " + (SELECT count(*) FROM liquidation_liquidationevent WHERE sent_at IS NULL)"
            )
            return bool(cursor.fetchone()[0] == 0)

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
        assert booked == traded
        broken = [finding for finding in invariants.check() if finding.violations]
        assert not broken, broken

    def every_event_was_heard(self) -> None:
        """The branch heard each settled liquidation's event, the same bytes every time, and nothing else."""
        assert set(self.heard()) == set(LiquidationEvent.objects.values_list("body", flat=True))

    def _tails(self) -> str:
        return "\n".join(process.log_tail() for process in self.processes.values())


@contextmanager
def running_service(
    stack: EmbeddedStack, *, price: str = "50", copies: int = 1, **market: Any
) -> Iterator[RunningService]:
    """Run the service on the test database; Django's own connection must see committed rows."""
    with ExitStack() as everything:
        _empty_queues(stack)
        call_command("provision_messaging", verbosity=0)
        endpoint = stack.sns_sqs.endpoint_url
        options: dict[str, Any] = {
            "sns_endpoint": endpoint,
            "price": price,
            "interval_seconds": Decimal("0.5"),
        } | market
        markets = [
            everything.enter_context(running_market(name, **options)) for name in ("mos_espa", "black_spire_outpost")
        ]
        service = RunningService(stack, *markets)
        database, _, _name = os.environ["DATABASE_URL"].rpartition("/")
        service.describe(
            os.environ
            | {
                "DATABASE_URL": f"{database}/{connection.settings_dict['NAME']}",
                "MOS_ESPA_URL": service.mos_espa.url,
                "BLACK_SPIRE_OUTPOST_URL": service.black_spire_outpost.url,
                "LEASE_SECONDS": "6",
                "MARKET_TIMEOUT_SECONDS": "4",
                "RECOVERY_PERIOD_SECONDS": "1",
            },
            copies,
        )
        service.listen()
        try:
            service.start()
            yield service
        finally:
            for process in service.processes.values():
                process.ask_to_stop()
            for process in service.processes.values():
                process.stop()


def _empty_queues(stack: EmbeddedStack) -> None:
    """Take away what earlier tests left in the price queues and in the broker."""
    import redis

    redis.Redis.from_url(os.environ["CELERY_BROKER_URL"]).flushall()
    sqs: Any = boto3.client("sqs", endpoint_url=stack.sns_sqs.endpoint_url, region_name=stack.sns_sqs.region)
    for url in sqs.list_queues(QueueNamePrefix="coruscant-").get("QueueUrls", []):
        sqs.purge_queue(QueueUrl=url)


def as_event(body: str) -> dict[str, str]:
    """An event's seven strings."""
    found: dict[str, str] = json.loads(body)
    assert len(found) == 7
    return found
