"""Which loans a price may change, and in which order they are looked for."""

from decimal import Decimal

import pytest
from django.db import connection

from loans import candidates, terms
from loans.conftest import price_point
from loans.tests.factories import LoanFactory, make_terms

pytestmark = pytest.mark.django_db


def searches(price):
    point, in_use = price_point(price), terms.in_use()
    return [kind(point, in_use) for kind in (candidates.breached, candidates.without_margin_call, candidates.new)]


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


def test_loans_of_all_terms_are_found_the_worst_first():
    """At 33 GC a unit the floors are 26.4 and 24.75 GC of debt a unit."""
    make_terms()
    made = [
        loan_of_1000(active=True, collateral=Decimal(units), terms_id=version)
        for units, version in ((30, 1), (35, 2), (37, 1), (38, 1), (38, 2), (40, 2), (41, 2))
    ]
    search = searches("33")[0]
    found = [made[index].pk for index in (0, 1, 2, 4, 5)]
    assert list(search.pages(10)) == [found]
    assert list(search.pages(2)) == [found[:2], found[2:4], found[4:]]


def test_only_loans_of_the_second_terms_are_found():
    make_terms()
    loan_of_1000(active=True, collateral=Decimal(40), terms_id=2)
    assert candidates.first_found(searches("33")) == 0
    assert candidates.first_found(searches("34")) == 1, "it is due a margin call"
    loan_of_1000(collateral=Decimal(40), terms_id=2)
    assert candidates.first_found(searches("60")) == 2, "a new loan is covered"


@pytest.mark.parametrize("versions", [1, 10])
def test_every_search_is_a_scan_of_an_index_that_begins_with_the_terms(versions):
    for version in range(2, versions + 1):
        make_terms(version)
    for version in range(1, versions + 1):
        loan_of_1000(active=True, collateral=Decimal(100), terms_id=version)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")  # there are few rows
    scans = [node for node in explained(searches("50")) if "loans_loan" in node.get("Relation Name", "")]
    by_terms = [node for node in scans if node["Relation Name"] == "loans_loan"]
    assert {node["Index Name"] for node in by_terms} == {"active_by_terms_and_debt", "new_by_terms_and_debt"}
    assert all("terms_id" in node["Index Cond"] and "debt_per_unit" in node["Index Cond"] for node in by_terms)
    assert all(node["Actual Loops"] == versions for node in by_terms), "each version is looked at"


def test_pages_follow_each_other_and_end_with_the_last_loan():
    made = [loan_of_1000(active=True, collateral=Decimal(units)) for units in (10, 20, 30)]
    search = searches("25")[0]
    assert list(search.pages(2)) == [[made[0].pk, made[1].pk], [made[2].pk]]
    assert list(search.pages(3)) == [[loan.pk for loan in made]]
    assert list(searches("5000")[0].pages(2)) == []
