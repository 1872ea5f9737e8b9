"""One case: a crash of prices, the primary killed in the middle of it, and the markets' own logs as judges.

The price falls step by step, and claims a loan or two at each step, so that claims are possible at any moment if they
are possible at all. A client applies and posts all the while. Nobody starts a process again: those of the service have
to live through it.
"""

import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import connections

from coruscant.restores.models import Restore
from liquidation.models import Liquidation, TradeOrder
from liquidation.reconciliation.models import DifferenceStatus, ReconciliationDifference
from loans.models import Loan
from proofs.chaos import books
from proofs.failover.cases import Case
from proofs.failover.client import Client
from proofs.failover.outcome import Outcome, longest_gap
from proofs.service.after_restore import Operator
from proofs.service.people import TwoPeople, make_people
from proofs.service.running_service import ROOT, RunningService, require

AMOUNT = "1000"
#: A loan that is never in danger; the client posts to it.
SAFE, SAFE_UNITS = "safe", "10000"
#: Loans of 40 units and more: the first is claimed at 31.25 GC a unit, the last at 24.2.
LADDER = [Decimal(40) + Decimal(number) / 4 for number in range(48)]
CALM = "50"
#: Before the primary is killed: it claims two loans of three. And from then on.
FALL = ["38", *(str(Decimal(32) - Decimal(step) / 4) for step in range(24))]
FALL_GOES_ON = [str(Decimal("26.2") - Decimal(step) / 5) for step in range(12)]
BEHIND_AT_LEAST_SECONDS = 3.0
#: What was on its way to a market when the primary died has arrived by then.
ARRIVED_AFTER_SECONDS = 8.0
SETTLED_WITHIN_SECONDS = 240.0
_COMMAND_SECONDS = 120

Trades = dict[str, tuple[Decimal, Decimal]]


class Rehearsal:
    """Plays a case on a service that runs."""

    def __init__(
        self,
        service: RunningService,
        case: Case,
        environment: Mapping[str, str],
        loans: Sequence[Decimal],
        *,
        wait: bool,
    ) -> None:
        """`environment` is the service's; `loans` are their units, of LADDER.

        Without `wait` a case that loses something ends where statements name the trades.
        """
        self._service = service
        self._case = case
        self._environment = environment
        self._loans = loans
        self._wait = wait
        self._client = Client(lambda: f"http://127.0.0.1:{service.port}", SAFE)
        people = TwoPeople(lambda: f"http://127.0.0.1:{service.port}", service.eventually)
        names = ("mos_espa", "black_spire_outpost")
        urls = dict(zip(names, (market.url for market in service.markets), strict=True))
        self._operator = Operator(self._manage, service.eventually, people, urls, service.stack.folder)
        self.outcome = Outcome(case.name)

    def play(self) -> None:
        """From the first application to the verdict. Raises NotAsPromised if a step has no effect in time."""
        service, case = self._service, self._case
        make_people()
        service.lend(SAFE, amount=AMOUNT, collateral=SAFE_UNITS)
        for number, units in enumerate(self._loans):
            service.lend(f"loan-{number}", amount=AMOUNT, collateral=str(units))
        service.eventually(lambda: service.loans("active") == len(self._loans) + 1, "all loans are active")
        self._client.start()
        self._fall(FALL)
        self._until_traded(len(self._loans) // 5)
        case.fall_behind()
        behind = time.monotonic()
        self._until_traded(len(self._traded()) + 2 * len(self._loans) // 5)
        time.sleep(max(0.0, behind + BEHIND_AT_LEAST_SECONDS - time.monotonic()))
        self._lose()

    def end(self) -> None:
        """Stop the client, whatever happened."""
        self._client.stop()

    def _lose(self) -> None:
        self._fall(FALL_GOES_ON)
        booked = set(TradeOrder.objects.filter(status="filled").values_list("request_id", flat=True))
        since = self._case.replace(connections.close_all)
        traded = {
            order["requestId"]
            for market in self._service.markets
            for order in market.orders()
            if datetime.fromisoformat(order["tradedAt"]).timestamp() <= self._case.killed_at
        }
        self.outcome.found += self._case.seen
        if refused := ", ".join(f"{number} times {status}" for status, number in self._client.refused.items()):
            self.outcome.found.append(f"meanwhile the client was answered {refused}")
        self.outcome.trades = len(traded)
        self.outcome.requests = sum(one.at <= self._case.killed_at for one in self._client.accepted)
        self.outcome.trades_lost = self._unknown(booked, traded)
        if self._case.loses:
            self._held(since)
        else:
            self._nothing_lost()
        logs = [process.log_path.read_text(errors="replace") for process in self._service.processes.values()]
        require(any(self._case.seen_as in log for log in logs), f"no log of the service says {self._case.seen_as}")
        ended = [name for name, process in self._service.processes.items() if not process.running]
        require(not ended, f"processes ended: {ended}")
        require(not self._client.strange, f"a client was answered {self._client.strange}")

    def _unknown(self, booked: set[str], traded: set[str]) -> int:
        """How many trades the database has forgotten, or never heard of."""
        known = dict(TradeOrder.objects.values_list("request_id", "status"))
        return sum(name not in known or (name in booked and known[name] != "filled") for name in booked | traded)

    def _nothing_lost(self) -> None:
        """Everything goes on by itself."""
        outcome, service = self.outcome, self._service
        outcome.operator.append(self._case.operator)
        self._complete()
        outcome.requests_lost = len(self._client.repeat())
        require(outcome.trades_lost == 0, f"lost: {outcome.lost}")
        require(outcome.requests_lost == 0, f"lost: {outcome.lost}")
        require(not Restore.objects.exists(), "a restore was begun")
        require(not Liquidation.objects.filter(held_by__isnull=False).exists(), "sales are held")
        outcome.found.append("nothing lost, nothing held")
        service.every_event_was_heard()
        outcome.found.append("every event heard")

    def _held(self, since: datetime) -> None:
        """Nothing goes on until a person acts; each unit that was sold is in the books, or in a difference."""
        outcome, service, operator = self.outcome, self._service, self._operator
        require(outcome.trades_lost, "nothing was lost: the case proves nothing")
        time.sleep(ARRIVED_AFTER_SECONDS)
        sent = self._deliveries()
        restore = operator.accept(since)
        outcome.operator += [self._case.operator, "manage.py after_restore"]
        forgotten = self._client.repeat(since.timestamp())
        outcome.requests_lost = len(forgotten)
        require(not self._client.repeat(), "a request was lost that was answered before")
        outcome.operator.append(f"had {len(forgotten)} lost requests repeated")
        operator.release_claims(restore)
        outcome.operator.append("released claims, with a second person")
        compare = operator.compare if self._wait else operator.compare_now
        service.eventually(self._claims_go_on, "loans are claimed again")
        require(self._deliveries() == sent, "an order was sent while it was held")
        compare(restore)
        require(self._deliveries() == sent, "an order was sent before its trades were compared")
        self._every_trade_is_named()
        outcome.operator.append("compared the statements of both markets")
        if not self._wait:
            return
        adopted = operator.adopt_all()
        outcome.operator.append(f"adopted {adopted} trades, with a second person")
        self._complete()
        restore.refresh_from_db()
        require(restore.compared_at and restore.claims_released_at, "the restore still holds something")
        service.every_event_was_heard()
        outcome.found.append("every event heard")

    def _every_trade_is_named(self) -> None:
        """By the markets' own logs: each trade is booked with its figures, or an open difference that names a loan."""
        booked = {
            order.request_id: (order.units_traded, order.proceeds)
            for order in TradeOrder.objects.filter(status="filled")
        }
        named = set(
            ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN, loan__isnull=False).values_list(
                "request_id", flat=True
            )
        )
        traded = self._traded()
        silent = [name for name, figures in traded.items() if booked.get(name) != figures and name not in named]
        require(not silent, f"traded, and neither booked nor named by a reconciliation: {silent}")
        in_doubt = sum(name in named for name in traded)
        self.outcome.found.append(f"{len(traded)} trades: {len(traded) - in_doubt} booked, {in_doubt} named")

    def _complete(self) -> None:
        """Everything is sold and published, and nothing twice, by the markets' own logs."""
        service, outcome = self._service, self.outcome
        service.eventually(self._claims_go_on, "loans are claimed")
        service.eventually(
            lambda: Liquidation.objects.count() == len(self._loans) and service.everything_is_settled(),
            "all are claimed, sold and published",
            SETTLED_WITHIN_SECONDS,
        )
        self._client.stop()
        self._measure()
        service.books_and_markets_agree()
        limits = {order: (pk, units) for order, pk, units in books.rows(books.LIMITS)}
        oversold = books.oversold({name: units for name, (units, _proceeds) in self._traded().items()}, limits)
        require(not oversold, f"sold twice: {oversold}")
        outcome.found.append(f"{len(self._loans)} loans sold once")
        posted = Loan.objects.get(loan_id=SAFE).collateral
        require(posted == Decimal(SAFE_UNITS) + self._client.posted, f"{self._client.posted} posted, found {posted}")

    def _claims_go_on(self) -> bool:
        self._measure()
        return self.outcome.seconds_without_claim is not None

    def _measure(self) -> None:
        """How long nothing was accepted, and nothing claimed."""
        began, back = self._case.killed_at, self._case.back_at
        accepted = [one.at for one in self._client.accepted]
        claimed = [at.timestamp() for at in Liquidation.objects.values_list("claimed_at", flat=True)]
        self.outcome.seconds_without_request = longest_gap(began, back, accepted)
        self.outcome.seconds_without_claim = longest_gap(began, back, claimed)

    def _fall(self, steps: list[str]) -> None:
        for market in self._service.markets:
            market.set_price(steps)

    def _until_traded(self, trades: int) -> None:
        self._service.eventually(lambda: len(self._traded()) >= trades, f"the markets have traded {trades} times")

    def _traded(self) -> Trades:
        """By the markets' own logs."""
        return {
            order["requestId"]: (Decimal(order["units"]), Decimal(order["proceeds"]))
            for market in self._service.markets
            for order in market.orders()
        }

    def _deliveries(self) -> int:
        return sum(len(market.deliveries()) for market in self._service.markets)

    def _manage(self, *command: str) -> int:
        """Run a management command; its exit code."""
        with (self._service.stack.log_folder / "manage.log").open("ab") as log:
            return subprocess.run(
                [sys.executable, "manage.py", *command],
                cwd=ROOT, env=dict(self._environment), stdout=log, stderr=log, check=False, timeout=_COMMAND_SECONDS,
            ).returncode  # fmt: skip
