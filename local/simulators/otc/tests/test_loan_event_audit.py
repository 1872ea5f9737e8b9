import json
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
    (sentence,) = received(EVENT, EVENT | {"eventId": "e2"}).violations({})
    assert "two events of sequence 1" in sentence


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
