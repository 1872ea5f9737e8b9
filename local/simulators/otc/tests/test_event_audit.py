import json
from decimal import Decimal
from typing import Any

import pytest

from local.simulators.otc.event_audit import EventAudit, balance_faults
from local.simulators.otc.ledger import KnownLoan

EVENT: dict[str, Any] = {
    "eventId": "e1",
    "eventType": "liquidation",
    "loanId": "l1",
    "collateralSold": "32",
    "collateralSoldValue": "1000",
    "outstandingCollateral": "8",
    "outstandingBalance": "0",
}


def received(*events: Any) -> EventAudit:
    audit = EventAudit()
    for event in events:
        audit.receive(event if isinstance(event, str) else json.dumps(event))
    return audit


def test_a_correct_event_is_kept_without_a_violation() -> None:
    audit = received(EVENT)
    assert audit.events() == audit.events("l1") == [EVENT]
    assert audit.events("l2") == []
    assert audit.violations({}) == []


def test_an_event_delivered_twice_counts_once() -> None:
    audit = received(EVENT, EVENT)
    assert (audit.received, audit.distinct) == (2, 1)
    assert audit.violations({}) == []


def test_other_bytes_under_the_same_event_id_are_a_violation() -> None:
    (sentence,) = received(EVENT, json.dumps(EVENT, indent=1)).violations({})
    assert "other bytes" in sentence


def test_a_second_event_for_a_loan_is_a_violation() -> None:
    (sentence,) = received(EVENT, EVENT | {"eventId": "e2"}).violations({})
    assert "second event" in sentence


@pytest.mark.parametrize(
    "changed",
    [
        {"extra": "1"},
        {"collateralSold": 32},
        {"collateralSold": "32.0"},
        {"outstandingBalance": "1E+3"},
        {"outstandingBalance": ""},
        {"outstandingCollateral": "-1"},
        {"collateralSoldValue": None},
        {"eventType": "Liquidation"},
        {"loanId": ""},
    ],
)
def test_an_event_off_the_contract_is_a_violation(changed: dict[str, Any]) -> None:
    audit = received(EVENT | changed)
    assert len(audit.violations({})) == 1
    assert audit.events() == []


def test_a_missing_key_is_a_violation() -> None:
    assert received({name: value for name, value in EVENT.items() if name != "loanId"}).violations({})


@pytest.mark.parametrize("raw", ["", "{", "[]", '{"eventId": "e1", "eventId": "e2"}'])
def test_what_is_no_event_is_a_violation(raw: str) -> None:
    assert len(received(raw).violations({})) == 1


def test_an_event_must_add_up_with_what_was_lent_and_posted() -> None:
    loan = KnownLoan("l1", "b", amount=Decimal(1000), posted=Decimal(40))
    assert received(EVENT).violations({"l1": loan}) == []
    loan.posted = Decimal(41)
    (sentence,) = received(EVENT).violations({"l1": loan})
    assert "41 were posted" in sentence
    loan.in_flight = 1
    assert received(EVENT).violations({"l1": loan}) == []
    loan.amount = Decimal(1001)
    (sentence,) = received(EVENT).violations({"l1": loan})
    assert "outstandingBalance" in sentence


def test_it_adds_up_to_the_last_of_more_digits_than_python_keeps() -> None:
    loan = KnownLoan("L", "B", Decimal(100))
    loan.accepted(Decimal("17970.459646224984485598435961"))
    loan.accepted(Decimal("0.000000000000000000000001"))
    assert loan.posted == Decimal("17970.459646224984485598435962")
    event = {
        "collateralSold": "17970.459646224984485598435961",
        "collateralSoldValue": "100",
        "outstandingCollateral": "0.000000000000000000000001",
        "outstandingBalance": "0",
    }
    assert balance_faults(event, loan) == []
    assert len(balance_faults(event | {"outstandingCollateral": "0.000000000000000000000002"}, loan)) == 1
