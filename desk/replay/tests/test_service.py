"""Replays are asked for, done by one worker at a time, and kept with what came out."""

from datetime import timedelta
from decimal import Decimal

import pytest
from celery.exceptions import SoftTimeLimitExceeded
from django.db import OperationalError

from coruscant import clock
from desk.replay import service
from desk.replay.engine import fate
from desk.replay.models import PolicyReplay
from liquidation import evaluate
from liquidation.models import Liquidation
from loans.models import Loan, LoanTerms
from loans.terms import TermsDoNotFit

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(quote, loan, enqueued):
    """A moment that is over, in which one of three loans was sold at 31: its start and its end."""
    start = clock.now()
    loan(), loan(collateral="50"), loan(collateral="60")  # sold at 31.25; at 25, or at 31.25 by 64 %; at 20.8
    for price in ("50", "31", "45"):
        quote(price)
        evaluate.evaluate_loans()
    enqueued.clear()
    return start, clock.now()


def ask(past, **named):
    return service.ask(*past, {name: Decimal(ltv) for name, ltv in named.items()}, asked_by="leia")


def test_a_replay_is_asked_for_enqueued_done_and_kept(past, enqueued, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        asked = ask(past, liquidation_ltv="0.64", margin_call_ltv="0.62")
    assert (asked.status, asked.result) == ("waiting", None)
    assert enqueued == [(("desk.replay",), {})]
    assert service.work()
    asked.refresh_from_db()
    assert (asked.status, asked.error, asked.taken_until) == ("done", "", None)
    assert asked.finished_at >= asked.asked_at
    sold = asked.result["totals"]["sold"]
    assert (sold["same"]["loans"], sold["onlyReplay"], sold["onlyReality"]["loans"]) == (
        1, {"loans": 1, "owed": "1000"}, 0,
    )  # fmt: skip
    assert not service.work()


def test_a_milder_liquidation_ltv_spares_whom_it_would_have(past):
    result = service.replay(*past, {"liquidation_ltv": Decimal("0.85")})
    (row,) = result["differences"]["sold"]
    assert row["where"] == "onlyReality"
    assert row["reality"]["at"] == Liquidation.objects.get().price_at.isoformat().replace("+00:00", "Z")
    assert result["totals"]["called"]["onlyReplay"]["loans"] == 1  # at 31, since it was not sold there


def test_the_example_of_the_documentation(quote, loan, enqueued):
    start = clock.now()
    first, second = loan(collateral="40"), loan(collateral="43")
    for price in ("50", "33", "31", "43"):
        quote(price)
        evaluate.evaluate_loans()
    result = service.replay(start, clock.now(), {"liquidation_ltv": Decimal("0.75")})

    def rows(kind):
        return {
            (row["loanId"], row["where"], *(row[side] and row[side]["price"] for side in ("reality", "replay")))
            for row in result["differences"][kind]
        }

    assert rows("sold") == {(first.loan_id, "otherInstant", "31", "33"), (second.loan_id, "onlyReplay", None, "31")}
    assert rows("called") == {(first.loan_id, "onlyReality", "33", None)}
    assert result["totals"]["called"]["same"]["loans"] == 1


def test_a_replay_writes_nothing_but_itself(past):
    def rows():
        return [list(model.objects.order_by("pk").values()) for model in (Loan, Liquidation, LoanTerms)]

    before = rows()
    ask(past, liquidation_ltv="0.64", margin_call_ltv="0.62")
    service.work()
    assert rows() == before


@pytest.mark.parametrize(
    ("begins", "lasts", "said"),
    [
        (timedelta(hours=2), timedelta(0), "must begin before it ends"),
        (timedelta(hours=2), timedelta(hours=3), "must be over"),
        (timedelta(days=33), timedelta(days=32), "31 days long at most"),
        (timedelta(days=31), timedelta(days=1), "Quotes are kept since"),
    ],
)
def test_an_interval_must_be_over_short_enough_and_recorded(begins, lasts, said):
    start = clock.now() - begins
    with pytest.raises(service.IntervalDoesNotFit, match=said):
        service.ask(start, start + lasts, {}, asked_by="leia")
    assert not PolicyReplay.objects.exists()


@pytest.mark.parametrize(
    "named",
    [
        {"liquidation_ltv": "0.65"},
        {"margin_call_ltv": "0.59"},
        {"margin_call_clear_ltv": "0.71"},
        {"liquidation_ltv": "1.01"},
    ],
)
def test_ltvs_must_fit_those_that_loans_keep(named, past):
    with pytest.raises(TermsDoNotFit, match="Loans under the terms 1 would have"):
        ask(past, **named)


@pytest.mark.parametrize("named", [{"guard_jump": "0.01"}, {"guard_jump": "1"}, {"guard_agreement": "0.4"}])
def test_a_guard_must_hold_more_than_what_confirms(named, past):
    with pytest.raises(service.GuardDoesNotFit, match="Jumps would be held from"):
        ask(past, **named)


def test_another_guard_holds_other_prices(quote, loan, enqueued):
    """A fall of one market by a fifth, alone: it sold a loan, and would not have if that had been a jump."""
    loan(collateral="38")  # sold at 32.9
    start = clock.now()
    for price in ("40", "40", "32"):
        quote(price)
        evaluate.evaluate_loans()
    past = start, clock.now()
    assert service.replay(*past, {})["totals"]["sold"]["same"]["loans"] == 1
    result = service.replay(*past, {"guard_jump": Decimal("0.15")})
    assert result["terms"] == {"guard_jump": "0.15"}
    assert result["held"] == {"jumps": 1, "unconfirmed": 1, "complete": True}
    sold = result["totals"]["sold"]
    assert (sold["same"]["loans"], sold["onlyReality"]["loans"]) == (0, 1)
    milder = service.replay(*past, {"guard_jump": Decimal("0.9")})
    assert (milder["held"]["jumps"], milder["totals"]["sold"]["same"]["loans"]) == (0, 1)


def test_terms_that_loans_have_of_their_own_stay_where_none_are_named(quote, loan, enqueued):
    mild = {"activation_ltv": Decimal("0.5"), "margin_call_ltv": Decimal("0.85"),
            "margin_call_clear_ltv": Decimal("0.6"), "liquidation_ltv": Decimal("0.9")}  # fmt: skip
    LoanTerms.objects.create(version=2, valid_from=clock.now(), asked_by="leia", agreed_by="han", **mild)
    start = clock.now()
    first, second = loan(), loan(terms_id=2)
    quote("29")  # 86 %
    evaluate.evaluate_loans()
    past = start, clock.now()
    assert service.replay(*past, {})["totals"]["sold"]["same"]["loans"] == 1
    assert service.replay(*past, {})["totals"]["called"]["same"]["loans"] == 1
    result = service.replay(*past, {"liquidation_ltv": Decimal("0.86")})
    assert [(row["loanId"], row["where"]) for row in result["differences"]["sold"]] == [(second.loan_id, "onlyReplay")]
    assert result["totals"]["sold"]["same"]["loans"] == 1
    assert Loan.objects.get(pk=first.pk).status == "liquidating"


def test_one_worker_at_a_time_and_one_that_died_is_followed_by_another(past):
    first, second = ask(past), ask(past)
    PolicyReplay.objects.filter(pk=first.pk).update(taken_until=clock.now() + timedelta(seconds=30))
    assert not service.work()
    PolicyReplay.objects.filter(pk=first.pk).update(taken_until=clock.now())
    assert service.work()
    assert service.work()
    assert not service.work()
    assert set(PolicyReplay.objects.values_list("pk", "status")) == {(first.pk, "done"), (second.pk, "done")}


def test_a_replay_that_takes_too_long_says_what_to_do(past, monkeypatch):
    monkeypatch.setattr(service, "_SECONDS", 0)
    ask(past)
    assert service.work()
    failed = PolicyReplay.objects.get()
    assert (failed.status, failed.result) == ("failed", None)
    assert failed.error.startswith("It took too long.")


def test_a_worker_without_time_for_all_loans_keeps_what_it_has_and_says_of_whom(past, monkeypatch):
    second = Loan.objects.order_by("pk")[1].pk

    def slow(loan, *rest):
        if loan.pk == second:
            monkeypatch.setattr(service, "_OF_LOANS", -1)  # there is no time left
        return fate(loan, *rest)

    monkeypatch.setattr(service, "fate", slow)
    ask(past, liquidation_ltv="0.64", margin_call_ltv="0.62")
    assert service.work()
    part = PolicyReplay.objects.get()
    assert (part.status, part.error) == ("part", "")
    assert (part.result["complete"], part.result["loans"]) == (False, {"replayed": 2, "of": 3})
    sold = part.result["totals"]["sold"]
    assert (sold["same"]["loans"], sold["onlyReplay"]["loans"], sold["onlyReality"]["loans"]) == (1, 1, 0)


def test_a_replay_with_time_enough_is_of_all_loans(past):
    result = service.replay(*past, {})
    assert (result["complete"], result["loans"], result["held"]) == (True, {"replayed": 3, "of": 3}, None)


@pytest.mark.parametrize(
    ("error", "said"), [(SoftTimeLimitExceeded(), "took too long"), (ValueError("?"), "the log has it")]
)
def test_an_error_ends_a_replay_so_that_it_is_not_done_for_ever(past, monkeypatch, error, said):
    monkeypatch.setattr(service, "fate", lambda *_: (_ for _ in ()).throw(error))
    ask(past)
    assert service.work()
    assert said in PolicyReplay.objects.get().error


def test_a_database_that_is_lost_leaves_the_replay_waiting(past, monkeypatch):
    monkeypatch.setattr(service, "fate", lambda *_: (_ for _ in ()).throw(OperationalError("gone")))
    ask(past)
    with pytest.raises(OperationalError):
        service.work()
    waiting = PolicyReplay.objects.get()
    assert waiting.status == "waiting"
    assert waiting.taken_until > clock.now()


def test_the_price_of_the_plot_is_the_lowest_of_each_part(past):
    found = service.replay(*past, {})["prices"]
    assert min(Decimal(price) for _at, price in found) == 31


def test_a_replay_over_which_workers_die_is_given_up_and_the_next_one_done(past):
    first, second = (ask(past) for _ in range(2))
    PolicyReplay.objects.filter(pk=first.pk).update(attempts=3)
    assert service.work()
    first.refresh_from_db()
    second.refresh_from_db()
    assert (first.status, second.status) == ("failed", "done")
    assert "3 workers did not come to its end" in first.error


def test_so_many_replays_may_wait_and_no_more(past):
    for _ in range(20):
        ask(past)
    with pytest.raises(service.TooManyWait):
        ask(past)
