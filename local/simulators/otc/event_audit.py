"""Checks every liquidation event against the contract, as its subscribers rely on it. No I/O."""

import threading
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from local.simulators.exact import BadJsonError, exact, is_plain_decimal, read_json
from local.simulators.otc.ledger import MOST_SENTENCES, KnownLoan

FIGURES = ("collateralSold", "collateralSoldValue", "outstandingCollateral", "outstandingBalance")
KEYS = frozenset({"eventId", "eventType", "loanId", *FIGURES})


class EventAudit:
    """Collects events, and sentences about what is wrong with them. Safe to use from several threads."""

    def __init__(self) -> None:
        """Begin with no event."""
        self._lock = threading.Lock()
        self._raw_by_event: dict[str, str] = {}
        self._by_loan: dict[str, dict[str, Any]] = {}
        self._violations: list[str] = []
        self.received = 0

    @property
    def distinct(self) -> int:
        """How many different eventIds were received."""
        return len(self._raw_by_event)

    def receive(self, raw: str) -> None:
        """Take one delivery of an event, byte for byte."""
        with self._lock:
            self.received += 1
            try:
                event = read_json(raw)
            except BadJsonError as error:
                self._add_violation(f"an event is {error}: {raw[:200]}")
                return
            event_id = event.get("eventId") if isinstance(event, dict) else None
            if isinstance(event_id, str) and self._raw_by_event.setdefault(event_id, raw) != raw:
                self._add_violation(f"event {event_id} came with other bytes than before: {raw[:500]}")
                return
            faults = event_faults(event)
            for fault in faults:
                self._add_violation(f"{fault}: {raw[:500]}")
            if not faults and self._by_loan.setdefault(event["loanId"], event)["eventId"] != event_id:
                self._add_violation(f"loan {event['loanId']} has a second event {event_id}")

    def events(self, loan_id: str | None = None) -> list[dict[str, Any]]:
        """Events by their first delivery, oldest first: all of them, or those of one loan."""
        with self._lock:
            if loan_id is None:
                return list(self._by_loan.values())
            return [self._by_loan[loan_id]] if loan_id in self._by_loan else []

    def violations(self, loans: Mapping[str, KnownLoan]) -> list[str]:
        """All sentences so far, and those on events that do not add up with what clients did."""
        with self._lock:
            events = list(self._by_loan.values())
            sentences = list(self._violations)
        for event in events:
            if loan := loans.get(event["loanId"]):
                sentences.extend(balance_faults(event, loan))
        return sentences

    def _add_violation(self, sentence: str) -> None:
        if len(self._violations) < MOST_SENTENCES:
            self._violations.append(sentence)


def event_faults(event: Any) -> list[str]:
    """What is wrong with an event by itself, as sentences."""
    if not isinstance(event, dict):
        return ["an event is not a JSON object"]
    if set(event) != KEYS:
        return [f"an event has the keys {', '.join(sorted(event))}"]
    if not all(isinstance(value, str) for value in event.values()):
        return ["an event has a value that is not a string"]
    faults = [f"{name} is no plain decimal" for name in FIGURES if not is_plain_decimal(event[name])]
    if event["eventType"] != "liquidation":
        faults.append("eventType is not liquidation")
    if not event["eventId"] or not event["loanId"]:
        faults.append("an id is empty")
    return faults


def balance_faults(event: Mapping[str, Any], loan: KnownLoan) -> list[str]:
    """How a sound event does not add up with what was lent and posted, as sentences."""
    sold, value, returned, balance = (Decimal(event[name]) for name in FIGURES)
    faults = []
    with exact():
        expected, accounted = max(Decimal(0), loan.amount - value), sold + returned
    if balance != expected:
        faults.append(f"loan {loan.loan_id}: outstandingBalance is {balance}, {expected} would add up")
    settled = loan.in_flight == 0 and not loan.uncertain
    if settled and accounted != loan.posted:
        faults.append(f"loan {loan.loan_id}: {sold} units sold and {returned} returned, but {loan.posted} were posted")
    return faults
