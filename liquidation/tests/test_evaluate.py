"""Evaluating loans: every dip is found, once, and nothing is lost when an evaluation dies half-way."""

import threading
import time
from decimal import Decimal

import pytest
from django.db import connections

from coruscant import failpoints
from liquidation import evaluate, invariants
from liquidation.claim import claim_batch
from liquidation.conftest import point_now
from liquidation.models import Liquidation
from loans.models import Loan, LoanStatus, MarginCall
from loans.postings import post_collateral
from loans.tests.factories import LoanFactory
from pricing.markets import Market
from pricing.models import PriceQuote

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_failpoints():
    yield
    failpoints.arm(None)


def test_a_dip_between_two_evaluations_is_found_although_the_price_has_recovered(loan, quote, enqueued):
    loan()
    quote("50", ago=5)
    quote("30", ago=3)
    quote("42", ago=1)
    assert evaluate.evaluate_loans()
    liquidation = Liquidation.objects.get()
    assert liquidation.price == 30
    assert not PriceQuote.objects.filter(evaluated_at__isnull=True).exists()
    assert enqueued == [(("liquidation.sell", "liquidation.publish"), {"liquidation_id": liquidation.pk})]


def test_quotes_without_a_price_are_evaluated_too_and_hold_up_nothing(loan, quote, enqueued, settings):
    settings.PRICE_REFERENCE_QUANTITY = Decimal(1000)  # deeper than any curve, so that no price is known
    loan()
    quote("25")
    assert evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert not PriceQuote.objects.filter(evaluated_at__isnull=True).exists()


def test_the_best_of_both_markets_counts(loan, quote, enqueued):
    loan()
    quote("60", market=Market.BLACK_SPIRE_OUTPOST, ago=5)
    quote("25", ago=3)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()


def test_only_the_low_after_its_activation_applies_to_a_loan(loan, quote, enqueued):
    quote("25", ago=9)
    middle = quote("35", ago=7)
    quote("30", ago=5)
    quote("42", ago=3)
    spared = loan(collateral="60", prices_apply_from=middle.sent_at)  # 55 % at 30 GC
    caught = loan(collateral="40", prices_apply_from=middle.sent_at)  # 83 % at 30 GC
    evaluate.evaluate_loans()
    assert Liquidation.objects.get().loan == caught
    assert Liquidation.objects.get().price == 30
    spared.refresh_from_db()
    assert spared.status == LoanStatus.ACTIVE


def test_one_evaluation_activates_calls_clears_and_claims(loan, quote, enqueued):
    fresh = LoanFactory(collateral=Decimal(60))  # 41.7 % at 40 GC
    called = loan(collateral="34")  # 73.5 % at 40 GC
    claimed = loan(collateral="31")  # 80.6 % at 40 GC
    quote("40", ago=1)
    evaluate.evaluate_loans()
    assert Loan.objects.get(pk=fresh.pk).status == LoanStatus.ACTIVE
    assert MarginCall.objects.get().loan == called
    assert Liquidation.objects.get().loan == claimed
    quote("50")  # 58.8 %
    evaluate.evaluate_loans()
    assert MarginCall.objects.get().close_reason == "cleared"


def test_a_margin_call_comes_once_until_ltv_has_been_below_the_lower_threshold(loan, quote, enqueued):
    loan(collateral="34")
    for price in ("40", "42", "48", "41"):  # 73.5, 70.03, 61.3, 71.7 %
        quote(price)
        evaluate.evaluate_loans()
    assert MarginCall.objects.count() == 1
    quote("50")  # 58.8 %
    evaluate.evaluate_loans()
    quote("40")
    evaluate.evaluate_loans()
    assert MarginCall.objects.count() == 2
    assert MarginCall.objects.filter(closed_at__isnull=True).count() == 1


def test_without_a_live_price_nothing_new_is_claimed(loan, quote, enqueued, settings):
    loan()
    quote("25", ago=settings.FEED_MAX_LAG_SECONDS + settings.PRICE_MAX_AGE_SECONDS + 1, evaluated=True)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()


def test_a_price_that_falls_when_a_quote_expires_is_seen_without_a_new_quote(
    loan, quote, enqueued, time_passes, settings
):
    loan()
    quote("60")
    quote("25", market=Market.BLACK_SPIRE_OUTPOST)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    time_passes(seconds=settings.PRICE_MAX_AGE_SECONDS - 10)
    quote("25", market=Market.BLACK_SPIRE_OUTPOST)
    evaluate.evaluate_loans()
    time_passes(seconds=20)
    PriceQuote.objects.filter(evaluated_at__isnull=True).update(evaluated_at=None)
    from pricing.models import Feed

    Feed.objects.update(drained_to=time_passes())
    evaluate.evaluate_loans()
    assert Liquidation.objects.get().price == 25


@pytest.mark.parametrize(
    "point", ["evaluate.window_opened", "claim.locked", "claim.written", "evaluate.batch_committed", "evaluate.marked"]
)
@pytest.mark.django_db(transaction=True)
def test_an_evaluation_that_dies_anywhere_is_done_again_and_claims_once(loan, quote, enqueued, point):
    for units in ("30", "35", "40"):
        loan(collateral=units)
    quote("50", ago=4)
    quote("30", ago=3)
    quote("42", ago=1)

    class Killed(BaseException):
        pass

    def kill(name):
        if name == point:
            failpoints.arm(None)
            raise Killed

    failpoints.arm(kill)
    with pytest.raises(Killed):
        evaluate.evaluate_loans()
    assert PriceQuote.objects.filter(evaluated_at__isnull=True).count() == 3
    evaluate.evaluate_loans()
    assert Liquidation.objects.count() == 3
    assert not [finding for finding in invariants.check() if finding.violations]


@pytest.mark.django_db(transaction=True)
def test_of_evaluations_at_once_one_does_the_work(loan, quote, enqueued):
    for units in range(10, 40):
        loan(collateral=str(units))
    quote("25")
    barrier, results, errors = threading.Barrier(6), [], []

    def work():
        barrier.wait()
        try:
            results.append(evaluate.evaluate_loans())
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(6)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    assert True in results
    assert Liquidation.objects.count() == 30
    assert not PriceQuote.objects.filter(evaluated_at__isnull=True).exists()


def test_a_dip_that_comes_and_goes_during_an_evaluation_is_found_by_the_next(loan, quote, enqueued):
    loan()
    quote("50", ago=3)

    def dip(name):
        if name == "evaluate.window_opened":
            failpoints.arm(None)
            quote("30", ago=2)
            quote("42", ago=1)

    failpoints.arm(dip)
    assert evaluate.evaluate_loans()
    assert Liquidation.objects.get().price == 30
    assert not PriceQuote.objects.filter(evaluated_at__isnull=True).exists()


def test_only_some_sales_are_enqueued_in_a_crash(loan, quote, enqueued, monkeypatch):
    monkeypatch.setattr(evaluate, "ENQUEUED_PER_EVALUATION", 3)
    for units in range(10, 20):
        loan(collateral=str(units))
    quote("25")
    evaluate.evaluate_loans()
    assert Liquidation.objects.count() == 10
    assert len(enqueued) == 3


def test_new_quotes_enqueue_an_evaluation(enqueued, db):
    from pricing.models import PriceQuote
    from pricing.signals import quotes_recorded

    quotes_recorded.send_robust(sender=PriceQuote)
    assert enqueued == [(("liquidation.evaluate_loans",), {})]


def test_a_dip_that_still_held_when_the_loan_was_activated_applies_to_it(loan, quote, enqueued):
    before = quote("60", market=Market.BLACK_SPIRE_OUTPOST, ago=9)
    quote("60", ago=8)
    quote("25", market=Market.BLACK_SPIRE_OUTPOST, ago=7)
    quote("25", ago=6)  # the dip begins; it arrived late, so that the loan was activated by the price before
    quote("60", ago=2)
    caught = loan(collateral="40", prices_apply_from=before.sent_at)
    during = loan(
        collateral="40", prices_apply_from=quote("60", ago=4, evaluated=True, market=Market.BLACK_SPIRE_OUTPOST).sent_at
    )
    evaluate.evaluate_loans()
    assert Liquidation.objects.get().loan == caught
    during.refresh_from_db()
    assert during.status == LoanStatus.ACTIVE


def test_a_price_applies_to_no_loan_that_was_activated_after_it(loan, quote):
    quote("25", ago=5)
    point = point_now()
    later = loan(prices_apply_from=point.until)
    assert claim_batch(point).liquidation_ids == ()
    later.refresh_from_db()
    assert later.status == LoanStatus.ACTIVE


def test_a_dip_that_was_over_before_the_posting_never_applies_to_the_loan_however_late_it_is_received(quote, enqueued):
    quote("50", ago=30, evaluated=True)
    loan = LoanFactory()
    post_collateral(client="", request_id="p", loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=Decimal(40))
    assert Loan.objects.get().status == LoanStatus.ACTIVE
    quote("30", ago=20)
    quote("42", ago=10)
    evaluate.evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_an_evaluation_that_a_newer_one_has_overtaken_changes_nothing_more(quote, enqueued):
    loan = LoanFactory()
    quote("60", ago=3)

    def meanwhile(name):
        if name != "evaluate.window_opened":
            return
        failpoints.arm(None)
        quote("30")
        post_collateral(
            client="", request_id="p", loan_id=loan.loan_id, borrower_id=loan.borrower_id, amount=Decimal(40)
        )
        assert evaluate.evaluate_loans()

    failpoints.arm(meanwhile)
    assert not evaluate.evaluate_loans()
    assert Loan.objects.get().status == LoanStatus.NEW, "60 is gone, and at 30 there is not enough collateral"
    assert not PriceQuote.objects.filter(evaluated_at__isnull=True).exists()


def test_a_window_that_is_evaluated_again_opens_no_second_margin_call(loan, quote, enqueued):
    loan(collateral="34")
    quote("40", ago=5)  # 73.5 %
    quote("55", ago=3)  # 53.5 %
    evaluate.evaluate_loans()
    assert [call.close_reason for call in MarginCall.objects.all()] == ["cleared"]
    PriceQuote.objects.update(evaluated_at=None)
    evaluate.evaluate_loans()
    assert MarginCall.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_an_evaluation_waits_for_a_posting_that_has_read_the_price_before_the_dip(quote, enqueued):
    quote("50", ago=1, evaluated=True)
    fresh = LoanFactory(collateral=Decimal(39))
    written, evaluated = threading.Event(), threading.Event()

    def pause(name):
        if name == "posting.written":
            written.set()
            end = time.monotonic() + 20
            while not (evaluated.is_set() or somebody_waits_for_the_barrier()) and time.monotonic() < end:
                time.sleep(0.02)

    def post():
        try:
            post_collateral(
                client="", request_id="r", loan_id=fresh.loan_id, borrower_id=fresh.borrower_id, amount=Decimal(1)
            )
        finally:
            connections.close_all()

    failpoints.arm(pause)
    posting = threading.Thread(target=post)
    posting.start()
    assert written.wait(20)
    quote("31")
    evaluate.evaluate_loans()
    evaluated.set()
    posting.join()
    assert Liquidation.objects.get().loan == fresh
    assert Liquidation.objects.get().price == 31


def somebody_waits_for_the_barrier():
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
        return cursor.fetchone()[0] > 0


def test_one_false_price_while_the_other_market_is_silent_sells_nothing(loan, quote, enqueued):
    made = [loan() for _ in range(3)]
    quote("50", ago=3)
    quote("0.5", ago=2)
    evaluate.evaluate_loans()
    fresh = LoanFactory(collateral=Decimal(40))
    evaluate.evaluate_loans()
    fresh.refresh_from_db()
    assert fresh.status == LoanStatus.NEW, "nothing is lent while it is pending either"
    quote("50", ago=1)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert not MarginCall.objects.exists()
    assert Loan.objects.filter(status=LoanStatus.ACTIVE).count() == len(made) + 1


def test_a_false_high_beside_a_true_price_hides_no_loan_and_lends_nothing(loan, quote, enqueued):
    breached = loan()
    quote("31", ago=5, market=Market.BLACK_SPIRE_OUTPOST, evaluated=True)
    quote("50", ago=5)
    quote("5000", ago=3)
    quote("5000", ago=2)
    quote("31", ago=1, market=Market.BLACK_SPIRE_OUTPOST)
    unsecured = LoanFactory(collateral=Decimal(1))
    evaluate.evaluate_loans()
    assert Liquidation.objects.get().loan == breached
    unsecured.refresh_from_db()
    assert unsecured.status == LoanStatus.NEW


def test_a_crash_that_both_markets_show_for_one_tick_is_claimed(loan, quote, enqueued):
    breached = loan()
    for ago, price in ((5, "50"), (3, "20"), (1, "50")):
        quote(price, ago=ago)
        quote(price, ago=ago - 0.5, market=Market.BLACK_SPIRE_OUTPOST)
    evaluate.evaluate_loans()
    assert Liquidation.objects.get().loan == breached
