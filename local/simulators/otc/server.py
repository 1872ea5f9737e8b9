"""The whole OTC service: clients who apply at a steady rate, the event listener, the report API."""

import asyncio
import logging
import time
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from random import Random
from typing import Any

from aiohttp import web

from local.simulators.exact import BadJsonError, plain, read_decimal, read_json
from local.simulators.lifecycle import explain_bad_requests, json_answer, listen
from local.simulators.otc.bank_api import BankApi
from local.simulators.otc.event_audit import EventAudit
from local.simulators.otc.event_listener import EVENT_TOPIC, EventListener
from local.simulators.otc.ledger import Ledger
from local.simulators.otc.loan_event_audit import LoanEventAudit
from local.simulators.otc.loan_life import LoanLife
from local.simulators.otc.population import Client, draw_clients, draw_loan

log = logging.getLogger(__name__)

EVENT_QUEUE = "otc-liquidation-events"
LOAN_EVENT_QUEUE = "otc-loan-events"

_MOST_LOANS_AT_ONCE = 5000
_PAUSED_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class OtcOptions:
    """How the OTC service begins. `rate` is applications per second; each `run` has ids of its own."""

    api: str
    host: str = "127.0.0.1"
    port: int = 0
    sns_endpoint: str | None = None
    queue: str = EVENT_QUEUE
    loan_events_topic: str | None = None
    loan_queue: str = LOAN_EVENT_QUEUE
    api_token: str | None = None
    seed: int = 7
    rate: float = 3.0
    clients: int = 400
    max_loans: int | None = None
    pace: float = 1.0
    run: str = field(default_factory=lambda: f"{time.time_ns():x}")


class OtcServer:
    """An OTC service that runs in the event loop it was started in."""

    def __init__(self, options: OtcOptions) -> None:
        """Draw the clients; they begin with `start`."""
        self._options = options
        self.rate = options.rate
        self.ledger = Ledger()
        self.audit = EventAudit()
        self.loan_audit = LoanEventAudit()
        self._clients = draw_clients(options.clients, Random(f"{options.seed}/clients"))
        self._units_per_gc: Decimal | None = None
        self._lives: set[asyncio.Task[None]] = set()
        self._listeners: list[EventListener] = []
        if endpoint := options.sns_endpoint:
            self._listeners.append(EventListener(endpoint, EVENT_TOPIC, options.queue, self.audit.receive))
            if topic := options.loan_events_topic:
                self._listeners.append(EventListener(endpoint, topic, options.loan_queue, self.loan_audit.receive))
        self._applying: asyncio.Task[None] | None = None
        self._api: BankApi | None = None
        self._runner: web.AppRunner | None = None

    async def start(self) -> int:
        """Begin; returns the port of the report API."""
        app = web.Application(middlewares=[explain_bad_requests])
        app.router.add_get("/simulator/report", self._report)
        app.router.add_get("/simulator/events", self._events)
        app.router.add_get("/simulator/loans", self._loans)
        app.router.add_put("/simulator/settings", self._change)
        app.router.add_post("/simulator/repeat", self._repeat)
        self._runner, port = await listen(app, self._options.host, self._options.port)
        for listener in self._listeners:
            listener.start()
        self._api = BankApi(self._options.api, self._options.api_token, self.ledger)
        self._applying = asyncio.create_task(self._apply_forever(self._api))
        log.info("the OTC service reports on port %d, run %s", port, self._options.run)
        return port

    async def stop(self) -> None:
        """Stop, with every client wherever it is."""
        for listener in self._listeners:
            listener.stop()
        tasks = [*self._lives, *([self._applying] if self._applying else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._api:
            await self._api.close()
        if self._runner:
            await self._runner.cleanup()

    async def _apply_forever(self, api: BankApi) -> None:
        random = Random(f"{self._options.seed}/arrivals")
        number = 0
        while self._options.max_loans is None or number < self._options.max_loans:
            if self.rate <= 0:
                await asyncio.sleep(_PAUSED_SECONDS)
                continue
            number += 1
            await asyncio.sleep(random.expovariate(self.rate))
            if len(self._lives) >= _MOST_LOANS_AT_ONCE:
                self.ledger.counters["skipped"] += 1
                continue
            life = asyncio.create_task(self._live(api, number, random.choice(self._clients)))
            self._lives.add(life)
            life.add_done_callback(self._lives.discard)

    async def _live(self, api: BankApi, number: int, client: Client) -> None:
        loan_id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._options.run}/{number}"))
        random = Random(f"{self._options.seed}/loan/{number}")
        plan = draw_loan(loan_id, client, random)
        guess = self._units_per_gc * plan.amount if self._units_per_gc else None
        life = LoanLife(
            plan, api, self.ledger, random, guessed_units=guess, pace=self._options.pace,
            is_liquidated=lambda: bool(self.audit.events(loan_id)),
        )  # fmt: skip
        try:
            await life.live()
        except Exception:
            # A bug of the simulator: the other clients go on.
            self.ledger.counters["bugs"] += 1
            log.exception("loan %s", loan_id)
        if life.first_required:
            self._units_per_gc = life.first_required / plan.amount

    async def _report(self, request: web.Request) -> web.Response:
        """Return what clients did and which events were received; `?brief=1` leaves the events out."""
        ledger, audit, loan_audit = self.ledger, self.audit, self.loan_audit
        counted = ("applied", "accepted", "postings", "topUps", "earlyPostings", "repeats", "replays")
        event_violations = audit.violations(ledger.loans)
        report: dict[str, Any] = {name: ledger.counters[name] for name in counted}
        report |= {
            "resends": ledger.counters["resends"],
            "gaveUp": ledger.counters["gaveUp"],
            "skipped": ledger.counters["skipped"],
            "bugs": ledger.counters["bugs"],
            "liveLoans": len(self._lives),
            "rate": Decimal(str(self.rate)),
            "errorsByStatus": ledger.errors_by_status,
            "listening": bool(self._listeners) and all(one.subscribed.is_set() for one in self._listeners),
            "eventsReceived": audit.received,
            "distinctEvents": audit.distinct,
            "loanEventsReceived": loan_audit.received,
            "distinctLoanEvents": len(loan_audit.event_ids),
            "violations": [*event_violations, *loan_audit.violations(ledger.loans), *ledger.violations],
        }
        if "brief" not in request.query:
            report["eventsByLoan"] = {event["loanId"]: event for event in audit.events()}
            report["loanEventIds"] = loan_audit.event_ids
            report["loanEventGaps"] = loan_audit.gaps(ledger.loans)
        return json_answer(report)

    async def _events(self, request: web.Request) -> web.Response:
        """List events by their first delivery: all, or by `loanId`."""
        return json_answer({"events": self.audit.events(request.query.get("loanId"))})

    async def _loans(self, request: web.Request) -> web.Response:
        """List the loans applied for, with what was posted and the status last seen."""
        rows = [
            {
                "loanId": loan.loan_id,
                "borrowerId": loan.borrower_id,
                "amount": plain(loan.amount),
                "posted": plain(loan.posted),
                "inFlight": loan.in_flight,
                "uncertain": loan.uncertain,
                "status": loan.status,
            }
            for loan in self.ledger.loans.values()
        ]
        return json_answer({"loans": rows})

    async def _repeat(self, request: web.Request) -> web.Response:
        """Repeat every request that was accepted since an instant, in seconds since 1970; answer when that is done.

        The bank asks for it after a restore. So the books may have forgotten what they told since then.
        """
        given = read_json(await request.read())
        if not isinstance(given, dict) or set(given) != {"since"} or self._api is None:
            raise BadJsonError("the body is {'since': …}")
        since = float(read_decimal(given["since"], "since"))
        self.loan_audit.went_back(since)
        return json_answer({"repeated": await self._api.repeat(since)})

    async def _change(self, request: web.Request) -> web.Response:
        """Change `rate`, in applications per second; 0 pauses."""
        changes = read_json(await request.read())
        if not isinstance(changes, dict) or set(changes) != {"rate"}:
            raise BadJsonError("settings are {'rate': …}")
        rate = read_decimal(changes["rate"], "rate")
        if not 0 <= rate <= 10_000:
            raise BadJsonError("rate is from 0 to 10000")
        self.rate = float(rate)
        return json_answer({"rate": rate})
