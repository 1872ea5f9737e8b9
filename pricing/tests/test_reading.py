"""Which hand-written statements PostgreSQL plans once, and which for their parameters each time (decisions/0019)."""

from datetime import timedelta

import pytest
from django.db import connection

from pricing import reading
from pricing.models import PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.rows import quote_row

pytestmark = pytest.mark.django_db
#: PostgreSQL chooses after five executions of a prepared statement, which a statement is after three.
ENOUGH = 12


@pytest.fixture
def two_minutes_of_quotes():
    """A quote a second of each market, with fresh statistics and no plans left."""
    for second in range(120):
        quote_row(MOS_ESPA, second, "50")
        quote_row(BLACK_SPIRE, second, "50")
    with connection.cursor() as cursor:
        cursor.execute("DISCARD PLANS")
        cursor.execute(f"ANALYZE {PriceQuote._meta.db_table}")


def plans_of(text):
    """How often a statement's generic plan was used so far, and how often it was planned for its parameters."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE %s", [f"%{text}%"]
        )
        return cursor.fetchone() or (0, 0)


@pytest.fixture
def planned(two_minutes_of_quotes):
    """Run something so often; returns what that adds to the generic and the custom plans of a statement."""

    def planned(text, run):
        before = plans_of(text)
        for number in range(ENOUGH):
            run(number)
        return tuple(after - was for after, was in zip(plans_of(text), before, strict=True))

    return planned


def test_the_newest_quotes_are_read_by_one_plan(planned):
    generic, custom = planned("json_object_agg(market, drained_to)", lambda _: reading.newest(timedelta(seconds=180)))
    assert generic > 0
    assert custom <= 5


def test_the_history_is_planned_for_its_bounds(planned):
    generic, custom = planned(
        "::text[]) AS each(name)",
        lambda number: reading.history(at(100 + number), at(101 + number), no_earlier=at(0)),
    )
    assert generic == 0
    assert custom > 5
