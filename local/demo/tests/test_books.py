"""How the demo reads the books."""

import uuid
from datetime import timedelta
from decimal import Decimal

import psycopg
import pytest
from django.db import connection

from coruscant import clock, history
from coruscant.controls.pull import end
from coruscant.controls.tests.support import pull_it
from liquidation import evaluate
from liquidation.conftest import claimed, enqueued, loan, quote  # noqa: F401  (fixtures)
from loans.events.models import LoanEvent
from local.demo.books import Books
from pricing.markets import Market

FALSE = Decimal(5000)


@pytest.fixture
def books(db):
    chosen = connection.settings_dict
    url = psycopg.conninfo.make_conninfo(
        host=chosen["HOST"],
        port=chosen["PORT"],
        user=chosen["USER"],
        password=chosen["PASSWORD"],
        dbname=chosen["NAME"],
    )
    opened = Books(url)
    yield opened
    opened.close()


def test_a_connection_that_was_lost_since_the_last_look_is_opened_anew(books):
    books.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = 'demo view'"
        )
        assert cursor.fetchone() == (1,)
    assert books.now()


def test_a_database_that_cannot_be_reached_is_an_error():
    with pytest.raises(psycopg.OperationalError):
        Books("host=127.0.0.1 port=1 dbname=nothing").now()


@pytest.fixture
def since(transactional_db):
    return clock.now() - timedelta(minutes=1)


@pytest.mark.usefixtures("enqueued")
def test_claim_beside_a_false_price_is_none_by_it(books, since, loan, quote):  # noqa: F811
    breached = loan()
    quote("50", ago=4)
    quote("50", market=Market.BLACK_SPIRE_OUTPOST, ago=4)
    evaluate.evaluate_loans()
    for ago in (3, 2):
        quote("5000", ago=ago)
        quote("31", market=Market.BLACK_SPIRE_OUTPOST, ago=ago)
    evaluate.evaluate_loans()
    assert breached.liquidation.price == 31
    found = books.lie_since(since, "mos_espa", FALSE)
    assert (found["quotes"], found["held"], found["claimed"], found["claimed_by_it"]) == (2, 1, 1, 0)
    assert found["ended"] - found["began"] < timedelta(seconds=2)
    assert books.lie_since(clock.now(), "mos_espa", FALSE)["quotes"] == 0


def test_whatever_a_false_price_decided_is_counted(books, since, claimed):  # noqa: F811
    liquidation = claimed(price="25")
    now, event = clock.now(), {"event_id": uuid.uuid4(), "body": '{"price": "25.5"}', "sequence": 9}
    with history.cause("posting", correlation_id="test"):
        liquidation.loan.activated_at, liquidation.loan.activation_price = now, Decimal(26)
        liquidation.loan.save()
    LoanEvent.objects.create(
        loan=liquidation.loan, event_type="margin-call-cleared", created_at=now, due_at=now, **event
    )
    by_it = ("claimed_by_it", "activated_by_it", "cleared_by_it")
    for price, expected in (("25", (1, 1, 1)), ("25.5", (0, 1, 1)), ("26", (0, 1, 0)), ("27", (0, 0, 0))):
        found = books.lie_since(since, "mos_espa", Decimal(price))
        assert tuple(found[name] for name in by_it) == expected


@pytest.mark.usefixtures("enqueued")
def test_pause_is_told_with_whom_it_spared_and_who_was_claimed_after_it(books, since, loan, quote):  # noqa: F811
    spared = loan()
    pause = pull_it()
    quote("25")
    evaluate.evaluate_loans()
    (held,) = books.pauses_since(since)
    assert (held["over"], held["spared"], held["claimed_after"]) == (False, [spared.loan_id], 0)
    assert books.pause_in_force() == pause.pk
    end(pause.pk, by="leia and han", by_id=2, two_people=True)
    quote("24")
    evaluate.evaluate_loans()
    (over,) = books.pauses_since(since)
    assert (over["over"], over["claimed_in_it"], over["claimed_after"]) == (True, 0, 1)
    assert books.pause_in_force() is None
    assert books.pauses_since(clock.now()) == []
