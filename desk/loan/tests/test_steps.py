"""What happened to a loan, step by step, as the services have written it."""

import pytest

from desk.evidence import books
from desk.loan.steps import steps
from liquidation.models import LiquidationEvent, OrderAnswer, TradeOrder
from loans.events.models import LoanEvent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def told(loan_id):
    return steps(books.read(loan_id))


def lines(found):
    return [f"{step.title} {step.text}".strip() for step in found]


def test_the_life_of_a_loan_that_was_sold(sold):
    found = [step for step in told(sold) if "unknown" not in step.title]
    assert lines(found)[:13] == [
        "Application for 1,000 GC, under terms 1",
        "Posted 40 units",
        "Active at 50.00 % (50 GC a unit)",
        "Margin call at 71.42 % (35 GC a unit)",
        "Order 1, send 1 answered: refusal",
        "Order 1, send 2 answered: refusal",
        "Order 1, send 3 answered: refusal",
        "Order 2, send 1 answered: status 500",
        "Margin call ended by the claim",
        "Order 1 34.48275863 units to Black Spire Outpost, quoted at 29 GC a unit; sent 3 times under one id",
        "Order 1 refused nothing was traded",
        "Order 2 34.48275863 units to Black Spire Outpost, quoted at 29 GC a unit; sent 3 times under one id",
        "Claimed at 84.58 % (29.5556 GC a unit): 1,000 GC owed against 40 units",
    ]
    assert lines(found)[-1] == (
        "Settled 35.0877193 units for 1,000.00000005 GC, 0.00000005 GC more than was owed;"
        " 4.9122807 units to be returned"
    )
    assert [step.by for step in found[:4]] == ["otc", "otc", "otc", "price of Mos Espa"]
    assert all(step.by for step in found)


def test_what_happened_twice_is_told_twice_and_each_answer_once(sold):
    found = told(sold)
    assert [step.title for step in found if "unknown" in step.title] == ["Order 1 unknown", "Order 2 unknown"]
    orders = TradeOrder.objects.count()
    assert sum(step.title.endswith("filled") for step in found) == orders - 1
    assert sum(bool(step.said) for step in found) == OrderAnswer.objects.count()


def test_a_claim_has_the_quotes_behind_it_with_their_curves(sold):
    (claimed,) = (step for step in told(sold) if step.title == "Claimed")
    best, other = claimed.quotes
    assert (best.market, best.price) == ("Mos Espa", "29.555555555555555555555555")
    assert best.curve == (("1", "30"), ("10", "29"), ("50", "28"), ("100", "27"))
    assert (other.market, other.price) == ("Black Spire Outpost", "29")


def test_every_event_of_a_sold_loan_is_named_at_its_step(sold):
    named = [step.told.event_id for step in told(sold) if step.told]
    events = [*LoanEvent.objects.order_by("sequence"), LiquidationEvent.objects.get()]
    assert named == [str(event.event_id) for event in events]


def test_the_life_of_a_loan_that_was_called_and_topped_up(topped_up):
    assert lines(told(topped_up)) == [
        "Application for 1,000 GC, under terms 1",
        "Posted 40 units",
        "Active at 50.00 % (50 GC a unit)",
        "Margin call at 71.42 % (35 GC a unit)",
        "Posted 20 units",
        "Margin call ended LTV fell below the clearing LTV",
    ]


def test_of_a_life_that_was_not_wholly_read_only_known_changes_are_told(topped_up):
    whole, newest = told(topped_up), steps(books.read(topped_up, 1), whole=False)
    assert newest
    assert all(step in whole for step in newest)
