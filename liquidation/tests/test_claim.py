"""The claim: the right loans, once, with their history, however many workers try."""

import threading
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, connection, connections

from coruscant import failpoints, history
from liquidation import claim
from liquidation.conftest import point_now
from liquidation.models import ClaimFailure, Liquidation
from loans import postings
from loans.models import Loan, LoanStatus, MarginCall
from loans.tests.factories import LoanFactory, MarginCallFactory, make_terms

pytestmark = pytest.mark.django_db


def claim_all(point, limit=500):
    return [pk for batch in batches(point, limit) for pk in batch.liquidation_ids]


def batches(point, limit):
    place = None
    while True:
        batch = claim.claim_batch(point, place, limit=limit)
        yield batch
        place = batch.next
        if place is None:
            return


def test_exactly_eighty_per_cent_is_claimed_and_a_hair_below_is_not(loan, quote):
    at_threshold = loan(collateral="40")
    loan(collateral="40.000000000000000000000001")
    quote("31.25")
    (pk,) = claim_all(point_now())
    liquidation = Liquidation.objects.get(pk=pk)
    assert liquidation.loan == at_threshold
    assert (liquidation.balance_at_claim, liquidation.collateral_at_claim, liquidation.price) == (
        1000,
        40,
        Decimal("31.25"),
    )
    assert Loan.objects.get(pk=at_threshold.pk).status == LoanStatus.LIQUIDATING


def test_each_loan_is_claimed_by_its_own_terms_which_the_claim_keeps(loan, quote):
    """At 33 GC a unit LTV is 75.8 %, and 80.1 %."""
    make_terms()
    spared, strict, breached = (
        loan(collateral=units, terms_id=version) for units, version in (("40", 1), ("40", 2), ("37.8", 1))
    )
    quote("33")
    claim.claim_loans([spared.pk, strict.pk, breached.pk], point_now())
    assert dict(Liquidation.objects.values_list("loan", "terms")) == {strict.pk: 2, breached.pk: 1}
    assert Loan.objects.get(status="active") == spared


def test_a_claim_keeps_its_evidence(loan, quote):
    recorded = quote("25")
    loan()
    (pk,) = claim_all(point_now())
    liquidation = Liquidation.objects.get(pk=pk)
    assert liquidation.correlation_id == f"mos_espa:{recorded.event_id}"
    evidence, guard = liquidation.evidence
    assert (evidence["market"], evidence["reference"], evidence["price"]) == ("mos_espa", recorded.event_id, "25")
    assert evidence["quantity"] == "1"
    assert evidence["curve"] == [["1", "25"], ["10", "25"], ["50", "25"], ["100", "25"]]
    assert guard == {"guard": "on", "jump": "0.4", "agreement": "0.1", "dispute": "0.25"}


def test_a_claim_keeps_what_confirmed_a_jump(loan, quote):
    loan()
    first, second = quote("50"), quote("25")
    assert claim_all(point_now()) == [], "one quote is not enough"
    confirming = quote("25")
    claim_all(point_now())
    evidence = Liquidation.objects.get().evidence
    assert evidence[0]["reference"] == confirming.event_id
    assert evidence[0]["confirmedBy"] == f"mos_espa:{second.event_id}"
    assert first.event_id not in str(evidence)


def test_a_claim_writes_history_and_closes_the_margin_call(loan, quote):
    breached = loan()
    MarginCallFactory(loan=breached)
    quote("25")
    claim_all(point_now())
    assert MarginCall.objects.get().close_reason == MarginCall.CloseReason.CLAIMED
    newest = breached.history.order_by("-history_id").first()
    assert (newest.status, newest.history_actor) == ("liquidating", "system")
    assert newest.history_change_reason.startswith("claim mos_espa:event-")
    assert Liquidation.history.count() == 1


def test_a_second_claim_claims_nothing(loan, quote):
    loan()
    quote("25")
    assert len(claim_all(point_now())) == 1
    assert claim_all(point_now()) == []
    assert Liquidation.objects.count() == 1


def test_the_database_cannot_hold_a_second_liquidation_of_a_loan(claimed):
    first = claimed()
    first.pk = None
    with pytest.raises(IntegrityError), history.cause("test", correlation_id="x"):
        first.save(force_insert=True)


def test_all_breached_loans_are_claimed_worst_first_in_batches(loan, quote):
    made = [loan(collateral=str(units)) for units in (30, 10, 40, 20, 25)]
    spared = loan(collateral="400")
    quote("25")
    order = [
        sorted(Liquidation.objects.get(pk=pk).collateral_at_claim for pk in batch.liquidation_ids)
        for batch in batches(point_now(), 2)
    ]
    assert order == [[10, 20], [25, 30], [40]]
    assert Liquidation.objects.count() == len(made)
    spared.refresh_from_db()
    assert spared.status == LoanStatus.ACTIVE


def test_a_low_that_ended_before_its_activation_does_not_apply_to_a_loan(loan, quote):
    quote("25", ago=10)
    point = replace(point_now(), until=point_now().at + timedelta(seconds=5))
    later = loan(prices_apply_from=point.until)
    during = loan(prices_apply_from=point.until - timedelta(microseconds=1))
    claim_all(point)
    assert Liquidation.objects.get().loan == during
    later.refresh_from_db()
    assert later.status == LoanStatus.ACTIVE


def test_new_and_settled_loans_are_left_alone(quote):
    LoanFactory(collateral=Decimal(1))
    quote("25")
    assert claim_all(point_now()) == []


def test_a_loan_that_cannot_be_claimed_is_passed_over_shown_and_does_not_block_the_rest(loan, quote):
    good, bad, last = loan(collateral="10"), loan(collateral="20"), loan(collateral="30")
    quote("25")
    with connection.cursor() as cursor:
        cursor.execute(
            f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN IF NEW.loan_id = {bad.pk} THEN"
            " RAISE EXCEPTION 'not this one' USING ERRCODE = 'check_violation'; END IF; RETURN NEW; END $$;"
            " CREATE TRIGGER refuse BEFORE INSERT ON liquidation_liquidation FOR EACH ROW EXECUTE FUNCTION refuse()"
        )
    assert len(claim_all(point_now())) == 2
    assert set(Liquidation.objects.values_list("loan_id", flat=True)) == {good.pk, last.pk}
    failure = ClaimFailure.objects.get()
    assert failure.loan == bad
    assert "not this one" in failure.reason
    bad.refresh_from_db()
    assert bad.status == LoanStatus.ACTIVE


@pytest.mark.django_db(transaction=True)
def test_ten_workers_at_once_claim_every_loan_once(loan, quote):
    for units in range(10, 40):
        loan(collateral=str(units))
    quote("25")
    point, barrier, made, errors = point_now(), threading.Barrier(10), [], []

    def work():
        barrier.wait()
        try:
            made.extend(claim_all(point, limit=7))
        except Exception as error:
            errors.append(error)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work) for _ in range(10)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert errors == []
    assert len(made) == len(set(made)) == Liquidation.objects.count() == 30


@pytest.mark.django_db(transaction=True)
def test_a_posting_that_would_rescue_a_loan_waits_for_the_claim_that_is_checking_it(loan, quote):
    breached = loan()
    quote("25")
    answers, posting = [], threading.Thread(target=lambda: answers.append(rescue(breached)))

    def let_it_try(name):
        if name == "claim.locked":
            posting.start()
            posting.join(1)
            answers.append("the claim goes on")

    failpoints.arm(let_it_try)
    try:
        claimed = claim_all(point_now())
    finally:
        failpoints.arm(None)
        posting.join(30)
    assert answers == ["the claim goes on", "loan-closed"]
    assert Liquidation.objects.get(pk__in=claimed).collateral_at_claim == breached.collateral


def rescue(breached):
    """Post as much collateral again; returns the refusal's code."""
    try:
        postings.post_collateral(
            client="", request_id="rescue", loan_id=breached.loan_id, borrower_id=breached.borrower_id,
            amount=breached.collateral,
        )  # fmt: skip
    except postings.LoanClosed as refused:
        return refused.code
    finally:
        connections.close_all()
