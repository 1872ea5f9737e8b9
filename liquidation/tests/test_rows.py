"""Rows read by hand-written statements, and bookkeeping columns written without history."""

import pytest
from django.db import connection

from coruscant import rows
from coruscant.history import audit
from liquidation.models import Liquidation
from loans.models import Loan

pytestmark = pytest.mark.django_db


def read(model, attributes, pk):
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {rows.columns(model, attributes, 'one')} FROM {model._meta.db_table} AS one WHERE id = %s", [pk]
        )
        return rows.row(model, attributes, cursor.fetchone())


@pytest.fixture
def liquidation(claimed):
    return claimed("25")


def test_a_row_read_by_hand_is_the_row(liquidation):
    by_hand, by_the_orm = read(Loan, rows.names(Loan), liquidation.loan_id), Loan.objects.get()
    assert by_hand == by_the_orm
    for name in rows.names(Loan):
        assert getattr(by_hand, name) == getattr(by_the_orm, name)


def test_what_was_left_out_is_read_when_it_is_asked_for(liquidation, django_assert_num_queries):
    by_hand = read(Liquidation, rows.names(Liquidation, without=["evidence"]), liquidation.pk)
    with django_assert_num_queries(1):
        assert by_hand.evidence == liquidation.evidence


def test_bookkeeping_is_written_without_history(liquidation):
    before = Liquidation.history.count()
    liquidation.fence, liquidation.status = 7, "waiting"
    audit.note(liquidation, "fence")
    stored = Liquidation.objects.get()
    assert (stored.fence, stored.status, Liquidation.history.count()) == (7, "selling", before)


@pytest.mark.parametrize("name", ["status", "loan"])
def test_what_history_keeps_is_not_noted_without_it(liquidation, name):
    with pytest.raises(ValueError, match=f"history keeps {name}"):
        audit.note(liquidation, "fence", name)
