"""Terms belong to the loan: made of the settings once, then by two people, for loans that are opened from then on."""

# mypy: disable-error-code="comparison-overlap"

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from coruscant import clock, history
from loans import activation, applications, margin_calls, postings, terms
from loans.conftest import price_point
from loans.models import Loan, LoanTerms, MarginCall
from loans.risk import Thresholds
from loans.terms import NothingNew, TermsDoNotFit
from loans.tests.factories import LoanFactory, make_terms
from pricing.guard import DEFAULT, Mode

pytestmark = pytest.mark.django_db

STRICTER = Thresholds(
    activation_ltv=Decimal("0.46"), margin_call_ltv=Decimal("0.65"), margin_call_clear_ltv=Decimal("0.55"),
    liquidation_ltv=Decimal("0.75"),
)  # fmt: skip


def apply(loan_id, **changes):
    sent = {"client": "otc", "request_id": loan_id, "loan_id": loan_id, "borrower_id": "B1", "amount": Decimal(1000)}
    return applications.apply_for_loan(**(sent | changes))


def test_migrate_makes_the_first_terms_of_the_settings():
    first = LoanTerms.objects.get()
    assert (first.version, first.valid_from, first.thresholds) == (1, None, terms.from_settings())
    assert terms.difference_from_settings() == ""


def test_terms_are_only_added():
    for change in (
        lambda: LoanTerms.objects.update(liquidation_ltv=Decimal("0.9")),
        lambda: LoanTerms.objects.all()._raw_delete("default"),
    ):
        with pytest.raises(IntegrityError, match="append-only"), transaction.atomic():
            change()


@pytest.mark.parametrize(
    "wrong",
    [
        {"activation": "0.75"}, {"liquidation": "0.45"}, {"call": "0.76"}, {"clear": "0.66"}, {"liquidation": "1.01"},
        {"activation": "0"},
    ],
)  # fmt: skip
def test_the_database_refuses_terms_that_contradict_themselves(wrong):
    with pytest.raises(IntegrityError, match="the_ltvs_of_terms_are_in_order"):
        make_terms(**wrong)


def test_a_loan_keeps_the_terms_it_was_opened_under(set_best_price):
    apply("before")
    made = terms.make(STRICTER, asked_by="leia", agreed_by="han")
    apply("after")
    assert (made.version, made.asked_by, made.agreed_by) == (2, "leia", "han")
    assert dict(Loan.objects.values_list("loan_id", "terms")) == {"before": 1, "after": 2}
    before, after = Loan.objects.order_by("pk")
    assert before.created_at < made.valid_from < after.created_at
    assert Loan.history.filter(loan_id="after").get().terms_id == 2


def test_terms_that_are_not_valid_yet_are_given_to_nobody(set_best_price):
    """The clock was set back after they were made."""
    make_terms(valid_from=clock.now() + timedelta(hours=1))
    apply("loan")
    assert Loan.objects.get().terms_id == 1


@pytest.mark.parametrize(
    ("changed", "objection"),
    [
        ({"activation_ltv": Decimal("0.75")}, "The activation LTV must be below the liquidation LTV."),
        ({"margin_call_clear_ltv": Decimal("0.66")}, "The margin call LTV must lie between"),
        ({"margin_call_ltv": Decimal("0.76")}, "The margin call LTV must lie between"),
        ({"liquidation_ltv": Decimal("1.1")}, "Each LTV is above 0 and at most 1"),
        ({"liquidation_ltv": Decimal("0.7500000000000000000000001")}, "with up to 24 decimals"),
    ],
)
def test_terms_that_contradict_themselves_are_refused_in_words(changed, objection):
    found = Thresholds(**{name: getattr(STRICTER, name) for name in terms.SETTINGS} | changed)
    with pytest.raises(TermsDoNotFit, match=objection):
        terms.make(found, asked_by="leia", agreed_by="han")
    assert LoanTerms.objects.count() == 1


def test_the_newest_terms_are_not_made_again():
    with pytest.raises(NothingNew):
        terms.make(terms.from_settings(), asked_by="leia", agreed_by="han")


def test_what_else_terms_must_fulfil_is_asked_of_them(monkeypatch):
    monkeypatch.setattr(terms, "conditions", [lambda ltvs: "Too strict." if ltvs == STRICTER else None])
    assert terms.objections(terms.from_settings()) == []
    with pytest.raises(TermsDoNotFit, match="Too strict"):
        terms.make(STRICTER, asked_by="leia", agreed_by="han")


def test_terms_are_in_use_while_a_loan_under_them_is_new_or_active_and_the_newest_always():
    for version in range(2, 7):
        make_terms(version)
    LoanFactory(terms_id=2)
    LoanFactory(active=True, terms_id=4)
    LoanFactory(active=True, status="liquidating", terms_id=5)
    found = terms.in_use()
    assert list(found) == [2, 4, 6]
    assert found[4] == STRICTER


def test_the_terms_of_a_loan_decide_about_its_activation():
    LoanFactory(collateral=Decimal(40))
    make_terms()
    strict = LoanFactory(collateral=Decimal(40), terms_id=2)
    assert activation.activate_loans(price_point("50")) == 1
    assert Loan.objects.get(status="new") == strict
    assert activation.activate_loans(price_point("56")) == 1
    assert list(Loan.objects.order_by("pk").values_list("activation_price", flat=True)) == [50, 56]


def test_the_terms_of_a_loan_decide_about_its_margin_call_which_keeps_them():
    LoanFactory(active=True)
    make_terms()
    strict = LoanFactory(active=True, terms_id=2)
    assert margin_calls.call_loans(price_point("38")) == 1  # 65.8 %
    call = MarginCall.objects.get()
    assert (call.loan, call.terms_id) == (strict, 2)
    assert margin_calls.clear_margin_calls(price_point("45")) == 0  # 55.6 %
    assert margin_calls.clear_margin_calls(price_point("46")) == 1


def test_a_posting_activates_by_the_terms_of_the_loan(set_best_price):
    set_best_price("50")
    make_terms()
    loan = LoanFactory(terms_id=2)
    sent = {"client": "otc", "loan_id": loan.loan_id, "borrower_id": "borrower-1"}
    body = json.loads(postings.post_collateral(**sent, request_id="r-1", amount=Decimal(40)).body)
    assert (body["status"], body["requiredCollateral"]) == ("new", "3.478260869565217391304348")
    body = json.loads(postings.post_collateral(**sent, request_id="r-2", amount=Decimal("4.5")).body)
    assert body["status"] == "active"
    assert Loan.objects.get().activation_price == 50


def test_a_posting_to_an_active_loan_answers_by_its_terms(set_best_price):
    set_best_price("50")
    make_terms()
    loan = LoanFactory(active=True, terms_id=2, collateral=Decimal(30))
    accepted = postings.post_collateral(
        client="otc", request_id="r-1", loan_id=loan.loan_id, borrower_id="borrower-1", amount=Decimal(10)
    )
    assert json.loads(accepted.body)["requiredCollateral"] == "3.478260869565217391304348"


def test_a_posting_sees_that_the_terms_have_changed_since_it_looked(set_best_price, arm):
    set_best_price("50")
    make_terms()
    loan = LoanFactory(active=True)

    def move_once(name):
        if name == "posting.seen":
            arm(None)
            with history.cause("test", correlation_id="move"):
                Loan.objects.update(terms=2)

    arm(move_once)
    accepted = postings.post_collateral(
        client="otc", request_id="r-1", loan_id=loan.loan_id, borrower_id="borrower-1", amount=Decimal(1)
    )
    assert json.loads(accepted.body)["requiredCollateral"] == "2.478260869565217391304348"


def test_that_the_settings_differ_is_logged_once_and_again_when_it_is_something_else(settings, caplog):
    settings.LIQUIDATION_LTV = Decimal("0.9")
    for _ in range(3):
        terms.alert_if_settings_differ(terms.in_use())
    assert [record.msg["event"] for record in caplog.records] == ["terms_differ_from_settings"]
    assert "LIQUIDATION_LTV=0.9, not 0.8." in caplog.records[0].msg["why"]
    settings.LIQUIDATION_LTV = Decimal("0.80")
    terms.alert_if_settings_differ(terms.in_use())
    settings.LIQUIDATION_LTV = Decimal("0.9")
    terms.alert_if_settings_differ(terms.in_use())
    assert len(caplog.records) == 2


def test_that_the_guard_does_not_fit_the_terms_is_logged_once_and_again_when_it_is_something_else(caplog):
    for _ in range(3):
        terms.alert_if_guard_does_not_fit(terms.in_use(), DEFAULT)
    assert not caplog.records, "a fall of 0.375 is no jump of more than 0.4"
    make_terms(activation="0.48", liquidation="0.8")
    for _ in range(3):
        terms.alert_if_guard_does_not_fit(terms.in_use(), DEFAULT)
    assert [record.msg["event"] for record in caplog.records] == ["guard_does_not_fit_terms"]
    assert caplog.records[0].msg["why"] == (
        "The guard takes a fall of more than 0.4 for a jump; loans under the terms 2 may be liquidated by a fall as"
        " deep as that."
    )
    terms.alert_if_guard_does_not_fit(terms.in_use(), replace(DEFAULT, mode=Mode.OFF))
    terms.alert_if_guard_does_not_fit(terms.in_use(), DEFAULT)
    assert len(caplog.records) == 2


def test_the_settings_decide_about_no_loan(settings):
    settings.LIQUIDATION_LTV = settings.WARNING_LTV = Decimal("0.01")
    settings.ACTIVATION_LTV = Decimal(1)
    LoanFactory(active=True)
    LoanFactory(collateral=Decimal(39))
    assert margin_calls.call_loans(price_point("50")) == 0
    assert activation.activate_loans(price_point("50")) == 0
