"""A client of the bank who goes on during the failover, and knows which of its requests were answered."""

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal

import requests

PAUSE_SECONDS = 0.2
PATIENCE_SECONDS = 10
DUST = Decimal("0.001")


@dataclass(slots=True)
class Accepted:
    """A request that the bank has accepted: when, in seconds since the epoch, and its last answer."""

    at: float
    path: str
    body: dict[str, str]
    answer: bytes


class Client:
    """Applies for loans, and posts to one that was there before, in turns. Repeats a request until it is accepted."""

    def __init__(self, address: Callable[[], str], loan_id: str) -> None:
        """Find the service at `address`; post to this loan."""
        self.accepted: list[Accepted] = []
        self.strange: list[str] = []
        """Answers that no client should get."""
        self.refused: Counter[str] = Counter()
        """What it was answered while the bank could accept nothing: statuses, or that there was no answer."""
        self._address = address
        self._loan_id = loan_id
        self._ends = threading.Event()
        self._thread = threading.Thread(target=self._go_on, name="client", daemon=True)

    @property
    def posted(self) -> Decimal:
        """Units that were accepted for the loan."""
        return sum((Decimal(one.body["amount"]) for one in self.accepted if "top-ups" in one.path), Decimal(0))

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the present request, accepted or not."""
        self._ends.set()
        self._thread.join(2 * PATIENCE_SECONDS)

    def repeat(self, since: float = 0) -> list[Accepted]:
        """Send again what was accepted since an instant; return what the bank had forgotten, and has accepted anew."""
        forgotten = []
        for one in [one for one in self.accepted if one.at >= since]:
            answer = self._send(one.path, one.body)
            if answer is None or answer.status_code != 202:
                self.strange.append(f"{one.path} {one.body}: {'no answer' if answer is None else answer.text}")
            elif "Idempotency-Replayed" not in answer.headers:
                one.answer = answer.content
                forgotten.append(one)
            elif answer.content != one.answer:
                self.strange.append(f"{one.path} {one.body} was answered {one.answer!r}, now {answer.content!r}")
        return forgotten

    def _go_on(self) -> None:
        number = 0
        while not self._ends.is_set():
            number += 1
            body = {"requestId": f"client-{number}", "borrowerId": "B"}
            if number % 2:
                self._ask("/collateral-top-ups", body | {"loanId": self._loan_id, "amount": str(DUST)})
            else:
                self._ask("/loan-applications", body | {"loanId": f"client-{number}", "amount": "1000"})
            self._ends.wait(PAUSE_SECONDS)

    def _ask(self, path: str, body: dict[str, str]) -> None:
        while not self._ends.is_set():
            answer = self._send(path, body)
            if answer is not None and answer.status_code == 202:
                self.accepted.append(Accepted(time.time(), path, body, answer.content))
                return
            self.refused["nothing" if answer is None else str(answer.status_code)] += 1
            if answer is not None and answer.status_code not in {502, 503}:
                self.strange.append(f"{path} {body}: {answer.status_code} {answer.text[:200]}")
                return
            self._ends.wait(PAUSE_SECONDS)

    def _send(self, path: str, body: dict[str, str]) -> requests.Response | None:
        try:
            return requests.post(f"{self._address()}{path}", json=body, timeout=PATIENCE_SECONDS)
        except (requests.ConnectionError, requests.Timeout):
            return None
