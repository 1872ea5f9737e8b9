"""Many clients at once, again and again: identical and conflicting requests, each with exactly one effect."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from decimal import Decimal
from http.client import HTTPConnection
from typing import Any

from loans.models import CollateralPosting, Loan
from proofs.fuzzing.service import Service, row_counts

_APPLY, _POST = "/loan-applications", "/collateral-top-ups"
_ACCEPTED = 202


@dataclass(frozen=True, slots=True)
class Answer:
    """What one client got."""

    status: int
    body: bytes
    replayed: bool


@dataclass
class Report:
    """How many requests were sent, and what was wrong."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)


class Clients:
    """Threads that start together, each with a connection of its own to the service."""

    def __init__(self, service: Service, threads: int) -> None:
        """Open nothing yet."""
        self.size = threads
        self._service = service
        self._pool = ThreadPoolExecutor(threads)
        self._local = threading.local()

    def at_once(self, path: str, bodies: Sequence[dict[str, str]]) -> list[Answer]:
        """Send each body from a thread of its own, all in the same moment."""
        barrier = threading.Barrier(len(bodies))
        return list(self._pool.map(lambda body: self._send(path, body, barrier), bodies))

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown()

    def _send(self, path: str, body: dict[str, str], barrier: threading.Barrier) -> Answer:
        raw = json.dumps(body)
        http = HTTPConnection("127.0.0.1", self._service.port, timeout=60)
        try:
            http.connect()
            barrier.wait(60)
            headers = {"Authorization": self._service.authorization, "Content-Type": "application/json"}
            http.request("POST", path, raw, headers)
            response = http.getresponse()
            return Answer(response.status, response.read(), response.getheader("Idempotency-Replayed") == "true")
        finally:
            http.close()


Contest = Callable[[Clients, str], tuple[list[Answer], list[str]]]


def run(service: Service, *, threads: int, rounds: int) -> Report:
    """Play every contest once a round, on ids of its own."""
    report, clients = Report(), Clients(service, threads)
    before = row_counts()
    try:
        for number in range(rounds):
            for contest in CONTESTS:
                answers, faults = contest(clients, f"{contest.__name__} {number}")
                report.requests += len(answers)
                report.statuses.update(answer.status for answer in answers)
                report.findings += [f"{contest.__name__}, round {number}: {fault}" for fault in faults]
    finally:
        clients.close()
    report.findings += _totals(before, row_counts(), rounds, threads)
    report.findings += [f"logged: {line}" for line in service.failures()]
    return report


def one_application_from_all(clients: Clients, name: str) -> tuple[list[Answer], list[str]]:
    """The same application from everybody: one loan, and one body byte for byte."""
    answers = clients.at_once(_APPLY, [_body(name)] * clients.size)
    return answers, _one_effect(answers) + _expect("loans", Loan.objects.filter(loan_id=name).count(), 1)


def one_posting_from_all(clients: Clients, name: str) -> tuple[list[Answer], list[str]]:
    """The same posting from everybody: posted once."""
    opened = clients.at_once(_APPLY, [_body(name)])
    answers = clients.at_once(_POST, [_body(name, amount="40")] * clients.size)
    return opened + answers, _one_effect(answers) + _collateral(name, "40", 1)


def many_requests_for_one_loan_id(clients: Clients, name: str) -> tuple[list[Answer], list[str]]:
    """Applications of different requests for the same loanId: one wins, the others are refused."""
    answers = clients.at_once(_APPLY, [_body(name, requestId=f"{name} {number}") for number in range(clients.size)])
    faults = _expect("statuses", _statuses(answers), {202: 1, 409: clients.size - 1})
    return answers, faults + _expect("loans", Loan.objects.filter(loan_id=name).count(), 1)


def one_request_id_with_many_contents(clients: Clients, name: str) -> tuple[list[Answer], list[str]]:
    """The same requestId for different loans: the first wins, the others are refused."""
    answers = clients.at_once(_APPLY, [_body(name, loanId=f"{name} {number}") for number in range(clients.size)])
    faults = _expect("statuses", _statuses(answers), {202: 1, 422: clients.size - 1})
    return answers, faults + _expect("loans", Loan.objects.filter(loan_id__startswith=f"{name} ").count(), 1)


def two_contents_from_two_halves(clients: Clients, name: str) -> tuple[list[Answer], list[str]]:
    """One requestId, half of the clients with one amount, half with another: one half has all its answers."""
    opened = clients.at_once(_APPLY, [_body(name)])
    amounts = ["3" if number % 2 else "5" for number in range(clients.size)]
    answers = clients.at_once(_POST, [_body(name, amount=amount) for amount in amounts])
    won = {amount for amount, answer in zip(amounts, answers, strict=True) if answer.status == _ACCEPTED}
    if len(won) != 1:
        return opened + answers, [f"won: {sorted(won)}"]
    (amount,) = won
    halves = [answer for mine, answer in zip(amounts, answers, strict=True) if mine == amount]
    faults = _one_effect(halves) + _expect("accepted", _statuses(answers)[_ACCEPTED], len(halves))
    faults += _expect("refused", _statuses(answers)[422], clients.size - len(halves))
    return opened + answers, faults + _collateral(name, amount, 1)


def a_posting_from_each(clients: Clients, name: str) -> tuple[list[Answer], list[str]]:
    """Different postings to the same loan: none is lost, and the sum is exact."""
    opened = clients.at_once(_APPLY, [_body(name)])
    bodies = [_body(name, requestId=f"{name} {number}", amount="0.1") for number in range(clients.size)]
    answers = clients.at_once(_POST, bodies)
    faults = _expect("statuses", _statuses(answers), {202: clients.size})
    return opened + answers, faults + _collateral(name, str(Decimal("0.1") * clients.size), clients.size)


CONTESTS: tuple[Any, ...] = (
    one_application_from_all,
    one_posting_from_all,
    many_requests_for_one_loan_id,
    one_request_id_with_many_contents,
    two_contents_from_two_halves,
    a_posting_from_each,
)


def _body(name: str, **changes: str) -> dict[str, str]:
    return {"requestId": name, "loanId": name, "borrowerId": "racer", "amount": "1000"} | changes


def _statuses(answers: Sequence[Answer]) -> Counter[int]:
    return Counter(answer.status for answer in answers)


def _one_effect(answers: Sequence[Answer]) -> list[str]:
    """All accepted, all with the same bytes, and all but one marked as replays."""
    faults = _expect("statuses", _statuses(answers), {202: len(answers)})
    faults += _expect("different bodies", len({answer.body for answer in answers}), 1)
    return faults + _expect("first answers", sum(not answer.replayed for answer in answers), 1)


def _collateral(loan_id: str, amount: str, postings: int) -> list[str]:
    loan = Loan.objects.get(loan_id=loan_id)
    faults = _expect("collateral", loan.collateral, Decimal(amount))
    return faults + _expect("postings", CollateralPosting.objects.filter(loan=loan).count(), postings)


def _totals(before: dict[str, int], after: dict[str, int], rounds: int, threads: int) -> list[str]:
    """Every row that all rounds together may have written, and no other."""
    written = {name: after[name] - before[name] for name in after}
    loans, postings = 6 * rounds, (2 + threads) * rounds
    expected = {"loans_loan": loans, "loans_collateralposting": postings, "loans_acceptedrequest": loans + postings}
    expected |= {"loans_historicalcollateralposting": postings, "loans_historicalloan": loans + postings}
    return _expect("rows written", written, expected)


def _expect(what: str, found: object, expected: object) -> list[str]:
    return [] if found == expected else [f"{what}: {found}, not {expected}"]
