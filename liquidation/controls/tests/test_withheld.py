"""While claims are paused an evaluation lists what it would have claimed, and no price from then claims it later."""

import threading
import time
from datetime import timedelta
from decimal import Decimal

import pytest
from django.core.cache import cache
from django.db import IntegrityError, connection, connections, transaction
from django.test.utils import CaptureQueriesContext

from coruscant import clock, failpoints
from coruscant.controls.models import Control
from coruscant.controls.pull import end
from coruscant.controls.tests.support import pull_it
from liquidation import evaluate, invariants, recover
from liquidation.claim import claim_batch
from liquidation.conftest import point_now
from liquidation.controls.models import WithheldClaim
from liquidation.models import Liquidation
from loans.models import Loan, LoanStatus, MarginCall
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("enqueued")]


@pytest.fixture(autouse=True)
def no_failpoints():
    yield
    failpoints.arm(None)


def listed():
    return list(WithheldClaim.objects.order_by("loan").values_list("loan", "price"))


def assert_all_is_well():
    assert not [finding for finding in invariants.check(at_every_moment=True) if finding.violations]


def test_a_breached_loan_is_listed_in_place_of_claimed_and_called_as_ever(loan, quote):
    breached, sound = loan(), loan(collateral="100")
    pause = pull_it()
    low = quote("25")
    assert evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert MarginCall.objects.get().loan == breached
    spared = WithheldClaim.objects.get()
    assert (spared.control, spared.loan, spared.price, spared.price_at) == (pause, breached, 25, low.sent_at)
    assert (spared.outstanding_balance, spared.collateral) == (1000, 40)
    assert not PriceQuote.objects.filter(evaluated_at=None).exists()
    assert Loan.objects.get(pk=sound.pk).status == LoanStatus.ACTIVE
    assert_all_is_well()


def test_a_loan_is_listed_once_a_pause_at_the_first_price_that_breached_it(loan, quote, time_passes):
    first, second = loan(), loan(collateral="45")  # breached at 31.25, and at 27.8
    pull_it()
    for price in ("31.25", "25", "24"):
        time_passes(seconds=2)
        quote(price)
        evaluate.evaluate_loans()
    assert listed() == [(first.pk, Decimal("31.25")), (second.pk, 25)]
    time_passes(minutes=5)
    quote("34")
    evaluate.evaluate_loans()
    pull_it(by_id=2, two_people=True)
    quote("25")
    evaluate.evaluate_loans()
    assert WithheldClaim.objects.filter(loan=first).count() == 2


def test_a_dip_in_the_pause_claims_nobody_after_it_however_late_it_is_evaluated(loan, quote, time_passes):
    breached = loan()
    pause = pull_it()
    time_passes(minutes=2)
    quote("25")
    time_passes(minutes=2)
    quote("34")
    time_passes(minutes=1)
    assert pause.until == clock.now()
    time_passes(seconds=1)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert listed() == [(breached.pk, 25)]


def test_a_dip_from_before_the_pause_that_was_not_evaluated_in_time_claims_nobody_either(loan, quote, time_passes):
    breached = loan()
    quote("25")
    time_passes(seconds=2)
    quote("34")
    time_passes(seconds=2)
    pull_it(minutes=1)
    time_passes(seconds=61)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert listed() == [(breached.pk, 25)]


def test_what_was_evaluated_before_the_pause_stays_claimed(loan, quote):
    loan()
    quote("25")
    evaluate.evaluate_loans()
    pull_it()
    evaluate.evaluate_loans()
    assert Liquidation.objects.count() == 1
    assert listed() == []
    assert_all_is_well()


def test_a_price_that_outlasts_the_pause_claims_when_it_is_over(loan, quote, time_passes):
    breached = loan()
    pull_it()
    time_passes(minutes=4, seconds=50)
    quote("25")
    evaluate.evaluate_loans()
    assert listed() == [(breached.pk, 25)]
    time_passes(seconds=10)  # the last price of this evaluation ends with the pause
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    time_passes(microseconds=1)
    evaluate.evaluate_loans()
    claimed = Liquidation.objects.get()
    assert (claimed.loan, claimed.price) == (breached, 25)
    assert_all_is_well()


def test_a_price_that_outlasted_the_pause_claims_although_no_evaluation_saw_it_then(loan, quote, time_passes):
    """Its quote was evaluated in the pause, and by the next evaluation it has a successor."""
    breached = loan()
    pause = pull_it()
    time_passes(minutes=4, seconds=50)
    quote("25")
    evaluate.evaluate_loans()
    time_passes(seconds=20)  # ten of them in the pause
    quote("34")
    time_passes(seconds=20)
    evaluate.evaluate_loans()
    claimed = Liquidation.objects.get()
    assert (claimed.loan, claimed.price, claimed.price_at) == (breached, 25, pause.until)
    later = loan()  # active all the time, as the books have it
    evaluate.evaluate_loans()
    assert Loan.objects.get(pk=later.pk).status == LoanStatus.ACTIVE, "the resumption is looked at once"


def test_a_pause_that_two_people_end_is_over_at_once_and_not_before(loan, quote, time_passes):
    loan()
    pause = pull_it()
    time_passes(seconds=10)
    quote("25")
    time_passes(seconds=10)
    quote("34")
    end(pause.pk, by="leia and han", by_id=2, two_people=True)
    time_passes(seconds=10)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    quote("25")
    time_passes(seconds=1)
    evaluate.evaluate_loans()
    assert Liquidation.objects.count() == 1


def test_an_evaluation_that_died_in_the_pause_is_done_again_after_it_and_claims_nothing(loan, quote, time_passes):
    """Nor do an emptied Redis and a recovery forget the pause."""
    breached = loan()
    pull_it()

    def die(name):
        if name == "evaluate.batch_committed":
            raise RuntimeError("killed")

    quote("25")
    time_passes(seconds=2)
    quote("34")
    failpoints.arm(die)
    with pytest.raises(RuntimeError, match="killed"):
        evaluate.evaluate_loans()
    failpoints.arm(None)
    cache.clear()
    time_passes(minutes=6)
    recover.recover()
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert listed() == [(breached.pk, 25)]
    assert not PriceQuote.objects.filter(evaluated_at=None).exists()


def test_a_loan_that_is_activated_in_the_pause_is_spared_by_the_lows_of_the_pause(loan, quote, time_passes):
    pull_it()
    quote("34")
    meanwhile = loan(prices_apply_from=time_passes(seconds=10))
    time_passes(seconds=10)
    quote("25")
    time_passes(seconds=10)
    quote("34")
    time_passes(minutes=5)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert listed() == [(meanwhile.pk, 25)]


def test_all_breached_loans_are_listed_batch_by_batch_and_then_no_more(loan, quote, django_assert_num_queries):
    for units in range(5):
        loan(collateral=str(36 + units))
    loan(collateral="40.000000000000000000000001")  # just not breached at 31.25
    pull_it()
    quote("31.25")
    point, position, sizes = point_now(), None, []
    while True:
        batch = claim_batch(point, position, limit=2)
        sizes.append(batch.looked_at)
        position = batch.next
        if position is None:
            break
    assert sizes == [2, 2, 1]
    assert WithheldClaim.objects.count() == 5
    with django_assert_num_queries(6):  # clock, pause, terms, those not listed, clock, one that rounds
        assert claim_batch(point, None, limit=2).looked_at == 0


def test_a_batch_after_the_pause_was_pulled_claims_nobody_in_the_same_evaluation(loan, quote):
    """Each batch looks by itself: the pause comes between the window and the claim."""
    loan()
    quote("25")
    failpoints.arm(lambda name: pull_it() if name == "evaluate.window_opened" else None)
    evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert WithheldClaim.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_pause_waits_for_a_batch_that_is_claiming_and_begins_after_it(loan, quote):
    loan()
    quote("25")
    claiming, pulled = threading.Event(), []

    def pull():
        claiming.wait(10)
        pulled.append(pull_it())
        connections.close_all()

    def hold(name):
        if name == "claim.written":
            claiming.set()
            time.sleep(0.5)
            assert not pulled

    failpoints.arm(hold)
    person = threading.Thread(target=pull)
    person.start()
    evaluate.evaluate_loans()
    person.join(20)
    assert Liquidation.objects.get().claimed_at < Control.objects.get().began_at
    assert_all_is_well()


@pytest.mark.django_db(transaction=True)
def test_a_batch_that_begins_while_the_pause_is_being_written_leaves_the_loans_to_the_next_evaluation(loan, quote):
    loan()
    quote("25")
    written, go_on = threading.Event(), threading.Event()

    def write_slowly():
        with transaction.atomic():
            pull_it()
            written.set()
            go_on.wait(10)
        connections.close_all()

    person = threading.Thread(target=write_slowly)
    person.start()
    written.wait(10)
    assert not evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    go_on.set()
    person.join(20)
    assert evaluate.evaluate_loans()
    assert not Liquidation.objects.exists()
    assert WithheldClaim.objects.count() == 1


def test_a_quiet_evaluation_asks_once_when_claims_were_resumed(loan, quote):
    loan()
    pull_it("pause_activations")
    quote("34")
    with CaptureQueriesContext(connection) as asked:
        assert evaluate.evaluate_loans()
    begins, resumed = _about_controls(asked)
    assert "EXISTS" in begins
    assert "max" in resumed.lower()


def test_without_any_control_an_evaluation_asks_for_none(loan, quote):
    loan()
    quote("34")
    with CaptureQueriesContext(connection) as asked:
        assert evaluate.evaluate_loans()
    (begins,) = _about_controls(asked)
    assert "pg_try_advisory_xact_lock" in begins, "only what is asked anyway"


def _about_controls(asked):
    """The statements about controls, but for those of the price, which look for prices set aside."""
    statements = [query["sql"] for query in asked.captured_queries]
    return [sql for sql in statements if "controls_control" in sql and "pricing_pricequote" not in sql]


def test_the_list_is_not_rewritten(loan, quote):
    loan()
    pull_it()
    quote("25")
    evaluate.evaluate_loans()
    with pytest.raises(IntegrityError):
        WithheldClaim.objects.update(withheld_at=clock.now() + timedelta(days=1))
