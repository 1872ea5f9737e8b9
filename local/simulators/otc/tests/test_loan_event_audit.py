import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from local.simulators.otc.ledger import KnownLoan
from local.simulators.otc.loan_event_audit import LoanEventAudit

EVENT: dict[str, Any] = {
    "eventId": "e1",
    "eventType": "application",
    "sequence": "1",
    "loanId": "l1",
    "borrowerId": "b1",
    "status": "new",
    "amount": "1000",
    "outstandingBalance": "1000",
    "collateral": "0",
    "ltv": "",
    "price": "50",
    "warningPrice": "",
    "liquidationPrice": "",
    "at": "2026-11-26T12:00:00.000005Z",
}
SECOND = EVENT | {"eventId": "e2", "eventType": "activation", "sequence": "2", "status": "active", "ltv": "0.5"}
ANEW = EVENT | {"eventId": "e2", "price": "51", "at": "2026-11-26T12:00:05Z"}
NOON = datetime(2026, 11, 26, 12, tzinfo=UTC).timestamp()
LOANS = {"l1": KnownLoan("l1", "b1", Decimal(1000), status="active")}


def received(*events: Any) -> LoanEventAudit:
    audit = LoanEventAudit()
    for event in events:
        audit.receive(event if isinstance(event, str) else json.dumps(event))
    return audit


def test_correct_events_are_kept_in_the_order_of_their_sequence() -> None:
    audit = received(SECOND, EVENT, SECOND)
    assert audit.events("l1") == [EVENT, SECOND]
    assert (audit.received, sorted(audit.event_ids)) == (3, ["e1", "e2"])
    assert audit.violations(LOANS) == []
    assert audit.gaps(LOANS) == []


def test_other_bytes_under_the_same_event_id_are_a_violation() -> None:
    (sentence,) = received(EVENT, json.dumps(EVENT, indent=1)).violations({})
    assert "other bytes" in sentence


def test_two_events_of_one_sequence_are_a_violation() -> None:
    for other in (EVENT | {"eventId": "e2"}, ANEW):
        (sentence,) = received(EVENT, other).violations({})
        assert "two events of sequence 1" in sentence


@pytest.mark.parametrize("events", [(EVENT, ANEW), (ANEW, EVENT, ANEW)])
def test_after_the_books_went_back_the_later_event_of_a_sequence_counts(events: Any) -> None:
    """It may have been heard before anybody said that they went back, and before the forgotten one."""
    audit = received(*events)
    audit.went_back(NOON)
    assert audit.violations(LOANS) == []
    assert audit.events("l1") == [ANEW]


@pytest.mark.parametrize("at", ["2026-11-26T11:59:59.999999Z", "9998-12-31T23:59:59Z"])
def test_what_the_books_cannot_have_forgotten_may_have_no_second_event(at: str) -> None:
    """It is from before the instant that they went back to, or from after they said so."""
    audit = received(EVENT | {"at": at}, ANEW | {"at": "9999-01-01T00:00:00Z"})
    audit.went_back(NOON)
    (sentence,) = audit.violations({})
    assert "two events of sequence 1" in sentence


def test_other_bytes_under_the_same_event_id_are_a_violation_also_after_the_books_went_back() -> None:
    audit = received(EVENT, ANEW | {"eventId": "e1"})
    audit.went_back(NOON)
    (sentence,) = audit.violations({})
    assert "other bytes" in sentence


@pytest.mark.parametrize("missing", [[SECOND], [], [EVENT, SECOND | {"sequence": "3"}]])
def test_a_gap_is_named_when_all_must_have_come(missing: list[Any]) -> None:
    (sentence,) = received(*missing).gaps(LOANS)
    assert "loan l1" in sentence


def test_a_loan_that_nobody_accepted_need_not_be_told_of() -> None:
    assert received().gaps({"l1": KnownLoan("l1", "b1", Decimal(1000), status="refused")}) == []


def test_a_loan_begins_with_its_application() -> None:
    (sentence,) = received(SECOND | {"sequence": "1"}).gaps(LOANS)
    assert "begins with activation" in sentence


def test_an_event_of_another_borrower_or_amount_is_a_violation() -> None:
    for changed in ({"borrowerId": "b2"}, {"amount": "1001"}):
        (sentence,) = received(EVENT | changed).violations(LOANS)
        assert "another borrower" in sentence


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": "1"},
        {"amount": 1000},
        {"amount": "1000.0"},
        {"collateral": ""},
        {"ltv": "1E+3"},
        {"price": None},
        {"eventType": "liquidation"},
        {"eventType": "activation"},
        {"status": "active"},
        {"sequence": "0"},
        {"sequence": "1.0"},
        {"at": "2026-11-26T12:00:00+00:00"},
        {"at": "2026-13-26T12:00:00Z"},
        {"borrowerId": ""},
    ],
)
def test_an_event_off_the_contract_is_a_violation(changed: dict[str, Any]) -> None:
    audit = received(EVENT | changed)
    assert len(audit.violations({})) == 1
    assert audit.events("l1") == []


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"eventId": "e1", "eventId": "e2"}'])
def test_what_is_no_event_is_a_violation(raw: str) -> None:
    assert len(received(raw).violations({})) == 1
