"""A price gives notice once, before the margin call, and again only after the last notice has ended."""

import itertools
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from coruscant import history
from loans import margin_calls, margin_notices, sales
from loans.conftest import PRICED_AT, price_point
from loans.events.models import LoanEvent
from loans.events.tests.support import name_topic, told
from loans.models import MarginNotice
from loans.tests.factories import LONG_AGO, LoanFactory, MarginCallFactory, make_terms

NOTICE_LTV = Decimal("0.65")
TINY = Decimal("1e-24")
pytestmark = pytest.mark.django_db
seconds = itertools.count(1)


@pytest.fixture(autouse=True)
def notices_are_on(settings):
    settings.MARGIN_NOTICE_LTV = NOTICE_LTV


def at(price):
    return price_point(price, PRICED_AT + timedelta(seconds=next(seconds)))


def give(price):
    return margin_notices.give_notice(at(price), NOTICE_LTV)


def noticed():
    return [notice.loan for notice in MarginNotice.objects.order_by("pk")]


def test_notice_is_given_once_from_exactly_the_notice_ltv_to_below_the_margin_call():
    at_the_line = LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(650))
    below_the_call = LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(700) - TINY)
    LoanFactory(active=True, collateral=Decimal(1000) + TINY, amount=Decimal(650))
    LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(700))
    LoanFactory(collateral=Decimal(1000), amount=Decimal(650))
    point = at("1")
    assert margin_notices.give_notice(point, NOTICE_LTV) == 2
    assert margin_notices.give_notice(point, NOTICE_LTV) == 0
    assert give("1") == 0
    assert noticed() == [at_the_line, below_the_call]
    notice = MarginNotice.objects.earliest("pk")
    assert (notice.notice_ltv, notice.price, notice.price_at, notice.ended_at) == (NOTICE_LTV, 1, point.at, None)
    assert (notice.outstanding_balance, notice.collateral) == (650, 1000)


def test_a_second_notice_comes_only_after_ltv_was_below_the_clearing_ltv():
    LoanFactory(active=True, collateral=Decimal(1000), amount=Decimal(600))

    def tick(price):
        point = at(price)
        return margin_notices.end_notices(point), margin_notices.give_notice(point, NOTICE_LTV)

    assert tick("0.9") == (0, 1)  # 66.7 %
    assert tick("1") == (0, 0)  # exactly 60 %
    assert tick("0.9") == (0, 0)
    assert tick(Decimal(1) + TINY) == (1, 0)
    assert tick("0.95") == (0, 0)  # 63.2 %
    assert tick("0.9") == (0, 1)
    assert MarginNotice.objects.filter(ended_at__isnull=True).count() == 1


def test_where_a_margin_call_is_open_no_notice_is_given():
    MarginCallFactory()
    assert give("38") == 0  # 65.8 %


def test_a_margin_call_ends_the_notice_and_another_follows_once_it_is_cleared():
    LoanFactory(active=True)
    assert give("38") == 1
    assert margin_calls.call_loans(at("35")) == 1
    assert give("38") == 0
    cleared = at("45")
    assert margin_calls.clear_margin_calls(cleared) == 1
    assert margin_notices.give_notice(price_point("38", PRICED_AT), NOTICE_LTV) == 0, "it is older than what cleared"
    assert give("38") == 1
    ended = MarginNotice.objects.order_by("pk").values_list("ended_at", flat=True)
    assert [instant is None for instant in ended] == [False, True]


def test_a_claim_ends_the_notice():
    loan = LoanFactory(active=True)
    give("38")
    with history.cause("claim", correlation_id="test"):
        sales.begin_liquidation([loan.pk], LONG_AGO, Decimal(30))
    assert MarginNotice.objects.get().ended_at == LONG_AGO


def test_a_price_from_before_the_activation_gives_no_notice():
    LoanFactory(active=True, prices_apply_from=PRICED_AT + timedelta(seconds=1))
    assert margin_notices.give_notice(price_point("38"), NOTICE_LTV) == 0
    assert margin_notices.give_notice(price_point("38", PRICED_AT + timedelta(seconds=1)), NOTICE_LTV) == 1


def test_while_a_jump_is_pending_or_no_price_is_known_nobody_gets_notice():
    LoanFactory(active=True)
    point = price_point("38")
    assert margin_notices.give_notice(replace(point, pending=point.quotes), NOTICE_LTV) == 0
    assert margin_notices.give_notice(price_point(None), NOTICE_LTV) == 0
    assert margin_notices.give_notice(point, NOTICE_LTV) == 1


def test_each_loan_goes_by_its_own_terms():
    """Terms 2 call at 0.65: so no notice comes before. Terms 3 clear at 0.68: notice waits, or would end at once."""
    make_terms()
    make_terms(3, call="0.72", clear="0.68")
    loans = [LoanFactory(active=True, terms_id=version) for version in (1, 2, 3)]
    assert give("38") == 1  # 65.8 %
    assert give("36") == 1  # 69.4 %
    assert noticed() == [loans[0], loans[2]]
    assert margin_notices.end_notices(at("37")) == 1  # 67.6 %
    assert MarginNotice.objects.get(ended_at__isnull=True).loan == loans[0]


def test_many_loans_get_notice_batch_by_batch_each_with_its_event():
    name_topic()
    loans = [LoanFactory(active=True) for _ in range(5)]
    counts = [margin_notices.give_notice(price_point("38"), NOTICE_LTV, limit=2) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    assert {event["loanId"] for event in told()} == {loan.loan_id for loan in loans}
    assert {(event["eventType"], event["status"], event["sequence"]) for event in told()} == {
        ("margin-notice", "active", "1")
    }
    assert (told()[0]["price"], told()[0]["ltv"]) == ("38", "0.657894736842105263157895")
    assert [margin_notices.end_notices(at("50"), limit=2) for _ in range(4)] == [2, 2, 1, 0]
    assert LoanEvent.objects.count() == 5, "nobody is told that a notice has ended"


def test_an_event_of_a_notice_ends_with_its_transaction():
    name_topic()
    LoanFactory(active=True)
    with transaction.atomic():
        assert give("38") == 1
        transaction.set_rollback(True)
    assert not LoanEvent.objects.exists()
    assert not MarginNotice.objects.exists()


def test_what_was_noticed_without_a_topic_is_not_told_later():
    LoanFactory(active=True)
    assert give("38") == 1
    name_topic()
    assert give("38") == 0
    assert told() == []


def test_while_notices_are_off_calls_and_claims_take_no_statement_more(settings):
    settings.MARGIN_NOTICE_LTV = None
    loan = LoanFactory(active=True)
    with CaptureQueriesContext(connection) as captured:
        margin_calls.call_loans(at("35"))
        with history.cause("claim", correlation_id="test"):
            sales.begin_liquidation([loan.pk], LONG_AGO, Decimal(30))
    assert captured.captured_queries
    assert not [query for query in captured if "marginnotice" in query["sql"]]


def test_the_database_refuses_a_second_open_notice_of_a_loan():
    LoanFactory(active=True)
    give("38")
    again = MarginNotice.objects.get()
    again.pk = None
    with pytest.raises(IntegrityError, match="one_open_margin_notice_a_loan"), transaction.atomic():
        again.save(force_insert=True)
