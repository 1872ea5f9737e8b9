"""Checks every loan event against the contract, as its subscribers rely on it. No I/O."""

import re
import time
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from local.simulators.exact import is_plain_decimal
from local.simulators.otc.deliveries import Deliveries
from local.simulators.otc.ledger import KnownLoan

#: The status that a loan has by each kind of event.
STATUSES = {
    "application": "new",
    "activation": "active",
    "margin-notice": "active",
    "margin-call": "active",
    "margin-call-cleared": "active",
    "liquidation-started": "liquidating",
}
FIGURES = ("amount", "outstandingBalance", "collateral")
#: Figures that are empty where they are not known: without a price, or without collateral.
PERHAPS = ("ltv", "price", "warningPrice", "liquidationPrice")
KEYS = frozenset(
    {"eventId", "eventType", "sequence", "loanId", "borrowerId", "status", "at", *FIGURES, *PERHAPS}
)  # fmt: skip
_SEQUENCE = re.compile(r"[1-9][0-9]{0,8}")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")


class LoanEventAudit(Deliveries):
    """Collects loan events, and sentences about what is wrong with them.

    Of a sequence the event with the later `at` counts. There may be two only if the bank says that its books went back
    (`went_back`): they have forgotten the earlier one.
    """

    what = "a loan event"

    def __init__(self) -> None:
        """Begin with no event."""
        super().__init__()
        self._by_loan: dict[str, dict[int, dict[str, str]]] = {}
        self._replaced: dict[str, dict[str, str]] = {}
        self._lost: list[tuple[float, float]] = []

    @property
    def event_ids(self) -> list[str]:
        """The different eventIds that were received."""
        with self._lock:
            return list(self._raw_by_event)

    def _faults(self, event: Any) -> list[str]:
        return loan_event_faults(event)

    def went_back(self, since: float) -> None:
        """The bank says that its books have forgotten what they wrote from an instant on, in seconds since 1970."""
        with self._lock:
            self._lost.append((since, time.time()))

    def _keep(self, event: dict[str, str]) -> None:
        of_loan, sequence = self._by_loan.setdefault(event["loanId"], {}), int(event["sequence"])
        earlier, later = sorted((of_loan.get(sequence, event), event), key=_at)
        of_loan[sequence] = later
        if earlier["eventId"] != later["eventId"]:
            self._replaced[earlier["eventId"]] = earlier

    def _forgotten(self, event: Mapping[str, str]) -> bool:
        return any(since <= _at(event) <= until for since, until in self._lost)

    def events(self, loan_id: str) -> list[dict[str, str]]:
        """The events of a loan, in the order of their sequence."""
        with self._lock:
            return [event for _sequence, event in sorted(self._by_loan.get(loan_id, {}).items())]

    def violations(self, loans: Mapping[str, KnownLoan]) -> list[str]:
        """All sentences so far, and those on events that do not add up with what clients did."""
        with self._lock:
            sentences = list(self._violations)
            sentences += [
                f"loan {event['loanId']} has two events of sequence {event['sequence']}"
                for event in self._replaced.values()
                if not self._forgotten(event)
            ]
        for loan in list(loans.values()):
            for event in self.events(loan.loan_id):
                if (event["borrowerId"], Decimal(event["amount"])) != (loan.borrower_id, loan.amount):
                    sentences.append(f"loan {loan.loan_id}: an event is of another borrower, or amount")
        return sentences

    def gaps(self, loans: Mapping[str, KnownLoan]) -> list[str]:
        """Which of these loans' events are missing, as sentences: to be asked when all that was sent has come.

        Every loan that was accepted has been told of from its application on; sequences count from 1.
        """
        sentences = []
        for loan in list(loans.values()):
            events = self.events(loan.loan_id)
            found = [int(event["sequence"]) for event in events]
            if found != list(range(1, len(found) + 1)) or (not found and loan.status not in {"applied", "refused"}):
                sentences.append(f"loan {loan.loan_id}, {loan.status}: has events {found or 'none'}")
            elif events and events[0]["eventType"] != "application":
                sentences.append(f"loan {loan.loan_id}: begins with {events[0]['eventType']}")
        return sentences


def _at(event: Mapping[str, str]) -> float:
    return datetime.fromisoformat(event["at"]).timestamp()


def _is_instant(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return _INSTANT.fullmatch(text) is not None


def loan_event_faults(event: Any) -> list[str]:
    """What is wrong with a loan event by itself, as sentences."""
    if not isinstance(event, dict):
        return ["a loan event is not a JSON object"]
    if set(event) != KEYS:
        return [f"a loan event has the keys {', '.join(sorted(event))}"]
    if not all(isinstance(value, str) for value in event.values()):
        return ["a loan event has a value that is not a string"]
    faults = [f"{name} is no plain decimal" for name in FIGURES if not is_plain_decimal(event[name])]
    faults += [f"{name} is no plain decimal" for name in PERHAPS if event[name] and not is_plain_decimal(event[name])]
    if STATUSES.get(event["eventType"]) != event["status"]:
        faults.append(f"eventType is {event['eventType']} and status {event['status']}")
    if not _SEQUENCE.fullmatch(event["sequence"]):
        faults.append("sequence does not count from 1")
    if not _is_instant(event["at"]):
        faults.append("at is no instant in UTC")
    if not event["eventId"] or not event["loanId"] or not event["borrowerId"]:
        faults.append("an id is empty")
    return faults
