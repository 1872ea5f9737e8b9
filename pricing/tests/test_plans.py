"""Which statements PostgreSQL plans once, and which anew for their parameters each time (decisions/0019)."""

from datetime import timedelta

import pytest
from django.db import connection

from pricing import records
from pricing.models import PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.test_best_price import row

pytestmark = pytest.mark.django_db
#: PostgreSQL chooses after five executions of a prepared statement, which a statement is after three.
ENOUGH = 12


@pytest.fixture
def two_minutes():
    """A quote a second of both markets, and PostgreSQL knows that."""
    for second in range(120):
        row(MOS_ESPA, second, "50")
        row(BLACK_SPIRE, second, "50")
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
        cursor.execute(f"ANALYZE {PriceQuote._meta.db_table}")


def plans_of(text):
    """How often one plan for any parameters was used so far, and how often one for these."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{text}%"]
        )
        return cursor.fetchone() or (0, 0)


@pytest.fixture
def planned(two_minutes):
    """What a statement's text adds to that when it is run so often."""

    def planned(text, run):
        before = plans_of(text)
        for number in range(ENOUGH):
            run(number)
        return tuple(after - was for after, was in zip(plans_of(text), before, strict=True))

    return planned


def test_the_boards_look_has_one_plan(planned):
    generic, custom = planned(
        "AS asked(market) LEFT JOIN pricing_feed f ON", lambda _: records.newest(timedelta(seconds=60))
    )
    assert generic > 0
    assert custom <= 5


def test_the_sweeps_look_at_the_history_is_planned_for_its_bounds(planned):
    generic, custom = planned(
        "AS asked(name)", lambda number: records.history(at(100 + number), at(101 + number), no_earlier=at(0))
    )
    assert generic == 0
    assert custom > 5
