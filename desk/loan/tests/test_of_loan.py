"""Steps of a loan, its collateral, its notices and its margin calls."""

from decimal import Decimal
from types import SimpleNamespace

from desk.loan import of_loan
from desk.loan.step import Told
from desk.loan.tests.changes import LATER, NOON, change, known, shown

LOAN = {
    "amount": Decimal("6307.54"), "outstandingBalance": Decimal(1000), "collateral": Decimal(40), "terms": 1,
    "createdAt": NOON, "activationPrice": None,
}  # fmt: skip
CALL = {"outstandingBalance": Decimal(1000), "collateral": Decimal(40), "price": Decimal(35), "openedAt": NOON}


def event(kind, at, sent_at=None):
    return SimpleNamespace(event_type=kind, created_at=at, event_id="5b15004e", sent_at=sent_at)


def test_an_application_has_the_instant_of_its_row_its_client_and_its_event():
    told = known(loan_events=[event("application", NOON, LATER), event("activation", LATER)])
    step = of_loan.loan(change("loan", LOAN, created=True, reason="application r-1"), told)
    assert shown(step) == ("Application", "for 6,307.54 GC, under terms 1", "")
    assert (step.at, step.by, step.cause) == (NOON, "otc", "application r-1")
    assert step.told == Told("5b15004e", LATER)


def test_an_activation_says_its_ltv_and_its_price_where_that_was_kept():
    values = {"status": "active", "activatedAt": NOON, "activationPrice": Decimal(50)}
    told = known(loan_events=[event("activation", NOON)])
    step = of_loan.loan(change("loan", values, state=LOAN), told)
    assert shown(step) == ("Active", "at 50.00 % (50 GC a unit)", "good")
    assert step.told == Told("5b15004e", None)
    of_old = of_loan.loan(change("loan", values | {"activationPrice": None}, state=LOAN), told)
    assert shown(of_old) == ("Active", "", "good")


def test_a_move_to_other_terms_is_told():
    step = of_loan.loan(change("loan", {"terms": 2}, state=LOAN, reason="move_loans terms-1-to-2"), known())
    assert shown(step) == ("Terms moved", "to terms 2", "")


def test_what_a_posting_changes_is_told_by_the_posting():
    assert of_loan.loan(change("loan", {"collateral": Decimal(50)}, state=LOAN), known()) is None
    step = of_loan.posting(change("posting", {"amount": Decimal("305.0901"), "createdAt": NOON}, created=True), known())
    assert shown(step) == ("Posted", "305.0901 units", "")


def test_what_no_service_changes_is_told_column_by_column():
    by_hand = change("loan", {"collateral": Decimal(50), "activatedAt": None}, state=LOAN, reason="correction")
    assert shown(of_loan.loan(by_hand, known())) == (
        "Changed", "the loan: collateral 50, activatedAt none", "warning",
    )  # fmt: skip
    assert of_loan.posting(change("posting", {"amount": Decimal(1)}), known()).title == "Changed"
    assert of_loan.margin_call(change("marginCall", {"price": Decimal(1)}), known()).title == "Changed"


def test_a_margin_call_says_at_which_ltv_it_opened_and_why_it_ended():
    told = known(loan_events=[event("margin-call", NOON), event("margin-call-cleared", LATER)])
    opened = of_loan.margin_call(change("marginCall", CALL, created=True, reason="margin_call x", actor="system"), told)
    assert shown(opened) == ("Margin call", "at 71.42 % (35 GC a unit)", "warning")
    assert opened.told is not None
    ended = of_loan.margin_call(change("marginCall", {"closedAt": LATER, "closeReason": "cleared"}, state=CALL), told)
    assert shown(ended) == ("Margin call ended", "LTV fell below the clearing LTV", "")
    assert ended.told is not None


def test_a_notice_a_withheld_claim_and_a_refused_one_are_told_though_they_have_no_history():
    figures = {"outstanding_balance": Decimal(1000), "collateral": Decimal(40), "price": Decimal(38)}
    pause = SimpleNamespace(pk=3, why="a market lies", pulled_by="leia")
    rows = known(
        margin_notices=[
            SimpleNamespace(**figures, noticed_at=NOON, ended_at=LATER),
            SimpleNamespace(**figures, noticed_at=LATER, ended_at=None),
        ],
        withheld=[SimpleNamespace(**figures, control=pause, withheld_at=NOON)],
        claim_failure=SimpleNamespace(price=Decimal(30), reason="numeric overflow", failed_at=NOON),
    )
    steps = [*of_loan.without_history(rows)]
    assert [(step.at, step.title, step.text) for step in steps] == [
        (NOON, "Notice", "at 65.78 % (38 GC a unit): a margin call is near"),
        (LATER, "Notice ended", ""),
        (LATER, "Notice", "at 65.78 % (38 GC a unit): a margin call is near"),
        (NOON, "Claim withheld", "at 65.78 % (38 GC a unit), by pause No. 3: a market lies"),
        (NOON, "Claim refused", "by the database, at 30 GC a unit: numeric overflow"),
    ]
    assert steps[3].by == "leia"
