"""An evaluation looks at loans of all terms in use, as they are behind the activation barrier."""

from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coruscant import clock, failpoints
from liquidation import evaluate
from liquidation.models import Liquidation
from loans import terms
from loans.tests.factories import make_terms
from pricing.models import PriceGuard

pytestmark = pytest.mark.django_db


def test_a_loan_under_terms_that_came_while_the_window_was_opened_is_not_overlooked(loan, quote, enqueued):
    quote("50", ago=5)
    quote("33", ago=3)
    quote("50", ago=1)
    made = []

    def open_a_loan(name):
        if name == "evaluate.window_opened" and not made:
            make_terms()
            make_terms(3)
            made.append(loan(terms_id=2))

    failpoints.arm(open_a_loan)
    try:
        assert evaluate.evaluate_loans()
    finally:
        failpoints.arm(None)
    assert Liquidation.objects.get().loan == made[0]


def test_that_the_settings_differ_is_alerted_by_the_next_evaluation(quote, enqueued, settings, caplog, monkeypatch):
    monkeypatch.setattr(terms, "_last_alert", "")
    settings.LIQUIDATION_LTV = Decimal("0.75")
    quote("50")
    for _ in range(2):
        evaluate.evaluate_loans()
    errors = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert [error["event"] for error in errors] == ["terms_differ_from_settings"]


def test_that_the_guard_does_not_fit_the_terms_is_alerted_without_a_statement_more(
    quote, enqueued, caplog, monkeypatch, client, clean_cache, asked_in_turn
):
    monkeypatch.setattr(terms, "_last_alert", terms.difference_from_settings(make_terms().thresholds))
    monkeypatch.setattr(terms, "_last_alert_of_guard", "")
    quote("50")
    fitting = statements_of_an_evaluation()
    assert "coruscant_guard_does_not_fit_terms 0.0" in client.get("/metrics").content.decode()
    PriceGuard.objects.create(
        holds_from=clock.now(), mode="on", jump="0.3", agreement="0.1", dispute="0.25", changed_by="r2"
    )
    quote("50.1")
    assert statements_of_an_evaluation() == fitting
    errors = [record.msg for record in caplog.records if record.levelname == "ERROR"]
    assert [error["event"] for error in errors] == ["guard_does_not_fit_terms"]
    assert "a fall of more than 0.3 for a jump" in errors[0]["why"]
    assert "coruscant_guard_does_not_fit_terms 1.0" in client.get("/metrics").content.decode()
    evaluate.evaluate_loans()
    assert len([record for record in caplog.records if record.levelname == "ERROR"]) == 1


def statements_of_an_evaluation():
    with CaptureQueriesContext(connection) as captured:
        assert evaluate.evaluate_loans()
    return len(captured)


def test_a_quiet_evaluation_takes_as_many_statements_for_ten_terms_as_for_one(loan, quote, enqueued):
    loan(collateral="60")
    quote("50")
    with_one = statements_of_an_evaluation()
    for version in range(2, 11):
        make_terms(version)
        loan(collateral="60", terms_id=version)
    quote("50.1")
    assert statements_of_an_evaluation() == with_one
