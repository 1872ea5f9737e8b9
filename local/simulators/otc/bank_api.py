"""The OTC service's client of the loan API: a request without an answer is sent again under the same requestId."""

import asyncio
import logging
import time
from dataclasses import dataclass
from typing import Any

import aiohttp

from local.simulators.exact import BadJsonError, read_json, write_json
from local.simulators.lifecycle import backoff_seconds
from local.simulators.otc.ledger import Ledger

log = logging.getLogger(__name__)

APPLICATIONS = "/loan-applications"
TOP_UPS = "/collateral-top-ups"

_ATTEMPTS = 15
_LONGEST_PAUSE_SECONDS = 10.0
_REQUEST_SECONDS = 8.0
_CONNECTIONS = 32
#: Waiting for a connection counts as waiting for an answer, so repeats must leave some to the clients.
_LOANS_REPEATED_AT_ONCE = 8
_TRANSIENT = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the API: its status, its body as it came, and whether it is marked as a replay."""

    status: int
    raw: bytes
    replayed: bool

    @property
    def accepted(self) -> bool:
        """Whether the API took the request (202)."""
        return self.status == 202

    def loan(self) -> dict[str, Any]:
        """The loan in the body; empty where there is none to read."""
        try:
            body = read_json(self.raw)
        except BadJsonError:
            return {}
        return body if isinstance(body, dict) else {}


class BankApi:
    """Calls the loan API."""

    def __init__(self, url: str, token: str | None, ledger: Ledger) -> None:
        """Call the API at `url`. Must be made inside a running event loop."""
        self._url = url.rstrip("/")
        self._ledger = ledger
        self._accepted: list[tuple[float, str, dict[str, Any]]] = []
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = f"Token {token}"
        self._session = aiohttp.ClientSession(
            headers=headers,
            timeout=aiohttp.ClientTimeout(total=_REQUEST_SECONDS),
            connector=aiohttp.TCPConnector(limit=_CONNECTIONS),
        )

    async def close(self) -> None:
        """Close all connections."""
        await self._session.close()

    async def post(self, path: str, body: dict[str, Any]) -> Answer | None:
        """Send a request until it gets an answer other than a temporary error; None if it never does."""
        answer = await self._ask("POST", path, write_json(body).encode())
        if answer is not None and answer.accepted:
            self._accepted.append((time.time(), path, body))
        return answer

    async def repeat(self, since: float) -> int:
        """Send every request again that was accepted since an instant, as after a loss of data; return how many.

        Those of one loan in their order. One that is not accepted again is a violation.
        """
        by_loan: dict[str, dict[tuple[str, str], dict[str, Any]]] = {}
        for accepted_at, path, body in list(self._accepted):
            if accepted_at >= since:
                by_loan.setdefault(body["loanId"], {}).setdefault((path, body["requestId"]), body)
        self._ledger.excuse_repeats(since)
        at_once = asyncio.Semaphore(_LOANS_REPEATED_AT_ONCE)
        await asyncio.gather(*(self._repeat_all(requests, at_once) for requests in by_loan.values()))
        return sum(map(len, by_loan.values()))

    async def _repeat_all(self, requests: dict[tuple[str, str], dict[str, Any]], at_once: asyncio.Semaphore) -> None:
        async with at_once:
            for (path, request_id), body in requests.items():
                answer = await self.post(path, body)
                if answer is None or not answer.accepted:
                    status = "no answer" if answer is None else str(answer.status)
                    self._ledger.add_violation(f"{request_id} was accepted once, and repeated after a loss: {status}")

    async def loan(self, loan_id: str) -> dict[str, Any] | None:
        """Get a loan; None if there is no answer or no such loan."""
        answer = await self._ask("GET", f"/loans/{loan_id}", None)
        return answer.loan() if answer and answer.status == 200 else None

    async def _ask(self, method: str, path: str, raw: bytes | None) -> Answer | None:
        for attempt in range(_ATTEMPTS):
            if attempt:
                self._ledger.counters["resends"] += 1
                await asyncio.sleep(backoff_seconds(attempt, _LONGEST_PAUSE_SECONDS))
            answer = await self._ask_once(method, path, raw)
            if answer is not None and answer.status not in _TRANSIENT:
                return answer
        self._ledger.counters["gaveUp"] += 1
        log.warning("%s %s: given up after %d attempts", method, path, _ATTEMPTS)
        return None

    async def _ask_once(self, method: str, path: str, raw: bytes | None) -> Answer | None:
        try:
            async with self._session.request(method, self._url + path, data=raw) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._ledger.errors_by_status[type(error).__name__] += 1
            return None
        if response.status >= 300:
            self._ledger.errors_by_status[str(response.status)] += 1
        if response.status == 500:
            self._ledger.add_violation(f"{method} {path} was answered with 500")
        replayed = response.headers.get("Idempotency-Replayed") == "true"
        self._ledger.counters["replays"] += replayed
        return Answer(response.status, body, replayed)
