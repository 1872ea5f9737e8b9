"""What the database refuses by itself, should the code ever try: each by the name of its constraint."""

import re

import pytest
from django.db import IntegrityError, connection, transaction

from liquidation.models import Liquidation, LiquidationEvent, TradeOrder
from liquidation.sell import sell
from loans.models import AcceptedRequest, Loan
from loans.tests.factories import MarginCallFactory

pytestmark = pytest.mark.django_db

REFUSED = {
    "liquidation_liquidation_loan_id_key": (Liquidation, {}),
    "never_more_sold_than_claimed": (Liquidation, {"collateral_sold": "collateral_at_claim + 0.000000001"}),
    "orders_are_numbered": (TradeOrder, {"request_id": "'another'"}),
    "one_order_a_request_id": (TradeOrder, {"sequence": "99"}),
    "only_a_fill_has_figures_and_they_fit": (TradeOrder, {"units_traded": "quantity + 0.000000001"}),
    "liquidation_liquidationevent_liquidation_id_key": (LiquidationEvent, {"event_id": "gen_random_uuid()"}),
    "collateral_is_never_negative": (Loan, {"loan_id": "'another'", "collateral": "-0.000000001"}),
    "one_loan_a_loan_id": (Loan, {}),
    "one_request_one_effect": (AcceptedRequest, {}),
}


def columns(model):
    """Those that can be written."""
    return [field.column for field in model._meta.concrete_fields if not field.primary_key and not field.generated]


def write_again(row, **changes):
    """Write a row a second time, with other values (SQL) in some columns."""
    names = columns(type(row))
    values = ", ".join(changes.get(name, f'"{name}"') for name in names)
    table, into = row._meta.db_table, ", ".join(f'"{name}"' for name in names)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({into}) SELECT {values} FROM {table} WHERE id = %s", [row.pk])


def refused(name):
    return pytest.raises(IntegrityError, match=rf'constraint "{re.escape(name)}"')


@pytest.mark.parametrize("name", REFUSED)
def test_the_database_refuses_by_itself(claimed, markets, name):
    sell(claimed("25").pk)
    model, changes = REFUSED[name]
    row = model.objects.order_by("pk").first()
    with refused(name):
        write_again(row, **changes)


def test_it_refuses_a_second_order_while_one_has_no_verdict(claimed, markets):
    markets.then(500)
    sell(claimed("25").pk)
    with refused("one_pending_order_a_liquidation"):
        write_again(TradeOrder.objects.get(), sequence="2", request_id="'another'")


def test_it_refuses_a_second_open_margin_call(loan):
    call = MarginCallFactory(loan=loan())
    with refused("one_open_margin_call_a_loan"):
        write_again(call)


def test_it_refuses_a_quote_of_a_message_or_an_event_that_it_has(quote):
    made = quote("30")
    with refused("a_message_is_one_quote"):
        write_again(made, event_id="'another'")
    with refused("an_event_is_one_quote"):
        write_again(made, message_id="'another'")
