"""Which loans a price may change, and in which order they are looked for."""

from decimal import Decimal

import pytest
from django.db import connection

from loans import candidates
from loans.conftest import price_point
from loans.tests.factories import LoanFactory
from loans.thresholds import thresholds

pytestmark = pytest.mark.django_db


def searches(price):
    point, limits = price_point(price), thresholds()
    return [kind(point, limits) for kind in (candidates.breached, candidates.without_margin_call, candidates.new)]


def loan_of_1000(**fields):
    return LoanFactory(amount=Decimal(1000), outstanding_balance=Decimal(1000), **fields)


def test_the_first_search_that_finds_a_loan_is_named():
    assert candidates.first_found([]) is None
    assert candidates.first_found(searches("50")) is None, "there are no loans"
    loan_of_1000(collateral=Decimal(40))
    assert candidates.first_found(searches("50")) == 2, "a new loan is covered"
    loan_of_1000(active=True, collateral=Decimal(40))
    assert candidates.first_found(searches("32")) == 1, "it is due a margin call"
    assert candidates.first_found(searches("25")) == 0, "it is breached"


def test_searches_after_the_first_that_finds_a_loan_are_not_made():
    """Otherwise thousands of loans with a margin call would be skipped before a breached loan is claimed."""
    loan_of_1000(active=True, collateral=Decimal(40))
    breached, without_margin_call, _new = searches("25")
    assert candidates.first_found([breached, without_margin_call]) == 0
    plan = explained([breached, without_margin_call])
    assert [node["Actual Loops"] for node in plan if node.get("Subplan Name", "").startswith("InitPlan")] == [1, 0]


def explained(asked):
    """The nodes of the plan by which these were searched."""
    found = []

    def explain(execute, statement, parameters, many, context):
        execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", parameters, many, context)
        found.append(context["cursor"].fetchone()[0])
        return execute(statement, parameters, many, context)

    with connection.execute_wrapper(explain):
        candidates.first_found(asked)

    def nodes(plan):
        yield plan
        for part in plan.get("Plans", []):
            yield from nodes(part)

    return list(nodes(found[0][0]["Plan"]))


def test_pages_follow_each_other_and_end_with_the_last_loan():
    made = [loan_of_1000(active=True, collateral=Decimal(units)) for units in (10, 20, 30)]
    search = searches("25")[0]
    assert list(search.pages(2)) == [[made[0].pk, made[1].pk], [made[2].pk]]
    assert list(search.pages(3)) == [[loan.pk for loan in made]]
    assert list(searches("5000")[0].pages(2)) == []
