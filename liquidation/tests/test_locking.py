"""Locking a sale's rows: both as the ORM would read them, with their cause named."""

import pytest
from django.db import connection, transaction

from liquidation.locking import lock
from liquidation.models import Liquidation
from loans.models import Loan

pytestmark = pytest.mark.django_db


def reason():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_setting('coruscant.reason', true), current_setting('coruscant.actor_name', true)"
        )
        return cursor.fetchone()


def test_the_rows_are_what_the_orm_reads(claimed, django_assert_num_queries):
    made = claimed("25")
    with transaction.atomic(), django_assert_num_queries(1):
        loan, liquidation, now = lock(made.pk, "sell")
    for found, stored in ((loan, Loan.objects.get()), (liquidation, Liquidation.objects.get())):
        names = {field.attname for field in type(found)._meta.concrete_fields} - found.get_deferred_fields()
        assert {name: getattr(found, name) for name in names} == {name: getattr(stored, name) for name in names}
    assert liquidation.get_deferred_fields() == {"evidence"}
    assert liquidation.evidence == made.evidence
    assert now >= liquidation.claimed_at


def test_the_cause_is_the_price_event_behind_the_claim(claimed):
    made = claimed("25")
    with transaction.atomic():
        lock(made.pk, "sell")
        assert reason() == (f"sell {made.correlation_id}", "system")


def test_a_liquidation_that_is_not_there_is_said_to_be_missing(db):
    with pytest.raises(Liquidation.DoesNotExist), transaction.atomic():
        lock(0, "sell")
