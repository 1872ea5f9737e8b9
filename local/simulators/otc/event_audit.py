"""Checks every liquidation event against the contract, as its subscribers rely on it. No I/O."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from local.simulators.exact import exact, is_plain_decimal
from local.simulators.otc.deliveries import Deliveries
from local.simulators.otc.ledger import KnownLoan

FIGURES = ("collateralSold", "collateralSoldValue", "outstandingCollateral", "outstandingBalance")
KEYS = frozenset({"eventId", "eventType", "loanId", *FIGURES})


class EventAudit(Deliveries):
    """Collects events, and sentences about what is wrong with them."""

    def __init__(self) -> None:
        """Begin with no event."""
        super().__init__()
        self._by_loan: dict[str, dict[str, Any]] = {}

    @property
    def distinct(self) -> int:
        """How many different eventIds were received."""
        return len(self._raw_by_event)

    def _faults(self, event: Any) -> list[str]:
        return event_faults(event)

    def _keep(self, event: dict[str, str]) -> None:
        if self._by_loan.setdefault(event["loanId"], event)["eventId"] != event["eventId"]:
            self._add_violation(f"loan {event['loanId']} has a second event {event['eventId']}")

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
