"""The evidence alone is enough: a script that has nothing but the JSON finds why, what and by whom."""

import json
from decimal import Decimal

import pytest
from jsonschema import Draft202012Validator

from coruscant import history
from coruscant.admin.tests.bank import make_bank
from coruscant.money import decimal_string
from desk.evidence.document import evidence_of
from desk.evidence.tests import recompute
from desk.evidence.tests.support import SCHEMA, document_of
from liquidation import invariants
from liquidation.models import Liquidation, LiquidationEvent
from loans.models import Loan
from loans.selectors import LoanNotFound
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def test_the_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def test_of_a_loan_that_was_sold_the_json_alone_says_why_what_and_by_whom(sold):
    document = document_of(sold)
    claim, liquidation = recompute.claim(document), document["evidence"]["liquidation"]
    assert claim["price"] == Decimal("29.555555555555555555555555"), "between 30 for one unit and 29 for ten"
    assert claim["in_breach"]
    assert round(claim["ltv"], 24) == Decimal(liquidation["claim"]["ltv"])
    assert (claim["owed"], claim["units"]) == (1000, 40)
    assert claim["price"] == Decimal(liquidation["claim"]["price"])
    assert {name: decimal_string(value) for name, value in recompute.sale(document).items()} == {
        name: liquidation["sale"][name] for name in recompute.sale(document)
    }
    assert recompute.without_cause(document) == []
    assert not [finding for finding in invariants.check() if finding.violations]


def test_what_was_published_says_what_the_script_recomputes(sold):
    document = document_of(sold)
    event, sale = document["evidence"]["liquidation"]["event"], recompute.sale(document)
    told = json.loads(event["body"])
    assert [Decimal(told[name]) for name in ("collateralSold", "collateralSoldValue", "outstandingCollateral")] == [
        sale["collateralSold"], sale["proceeds"], sale["collateralLeft"],
    ]  # fmt: skip
    assert Decimal(told["outstandingBalance"]) == sale["shortfall"]
    assert event["body"] == LiquidationEvent.objects.get().body
    assert (event["sends"], event["messageId"]) == (1, "m-1")
    assert event["sentAt"].endswith("Z")


def test_the_timeline_has_each_step_with_what_set_it_off(sold):
    document = document_of(sold)
    assert recompute.steps(document)[:6] == [
        ("loan", "application"), ("loan", "posting"), ("posting", "posting"), ("marginCall", "margin_call"),
        ("liquidation", "claim"), ("loan", "claim"),
    ]  # fmt: skip
    steps = document["evidence"]["timeline"]
    assert steps[0]["cause"] | {"sessionUser": ""} == {
        "reason": f"application apply-{sold}", "action": "application", "correlationId": f"apply-{sold}",
        "actor": "otc", "actorId": 5, "sessionUser": "",
    }  # fmt: skip
    last = recompute.row_at(document, "loan", document["evidence"]["loan"]["id"], len(steps))
    shown = {name: value for name, value in document["evidence"]["loan"].items() if name != "id"}
    assert last == shown, "all steps together are the loan as it is"
    claimed = steps[recompute.first_step(document, status="liquidating")]["cause"]
    quote = document["evidence"]["liquidation"]["claim"]["quotes"][0]
    assert claimed["correlationId"] == f"{quote['market']}:{quote['reference']}"


def test_of_a_loan_that_was_called_and_topped_up_the_json_alone_says_why(topped_up):
    document = document_of(topped_up)
    evidence = document["evidence"]
    (call,) = evidence["marginCalls"]
    terms = recompute.terms(document, call["terms"])
    owed, units, price = (Decimal(call[name]) for name in ("outstandingBalance", "collateral", "price"))
    opened = recompute.first_step(document, table="marginCall", change="created")
    curve = recompute.curve_of(document, evidence["timeline"][opened]["cause"]["correlationId"])
    assert price == recompute.price_on(curve, Decimal(document["quotes"]["referenceQuantity"])) == 35
    assert (owed, units) == (1000, 40)
    assert recompute.reaches(terms["marginCallLtv"], owed, units, price)
    assert not recompute.reaches(terms["liquidationLtv"], owed, units, price)

    closed = recompute.first_step(document, table="marginCall", closeReason="cleared")
    assert evidence["timeline"][closed]["cause"]["correlationId"] == evidence["postings"][-1]["requestId"]
    then = recompute.row_at(document, "loan", evidence["loan"]["id"], closed)
    assert Decimal(then["collateral"]) == recompute.posted(document) == 60
    assert not recompute.reaches(terms["marginCallClearLtv"], owed, Decimal(then["collateral"]), price)
    assert (evidence["loan"]["status"], evidence["liquidation"]) == ("active", None)
    assert recompute.without_cause(document) == []


def test_evidence_of_every_kind_of_loan_fits_the_schema():
    make_bank()
    for loan_id in Loan.objects.values_list("loan_id", flat=True):
        assert document_of(loan_id)["evidence"]["loan"]["loanId"] == loan_id


def test_the_same_books_give_the_same_bytes(sold):
    before = evidence_of(sold).body
    assert evidence_of(sold).body == before
    Liquidation.objects.update(fence=99)  # bookkeeping, which is no evidence
    assert evidence_of(sold).body == before


def test_another_loan_changes_no_byte(sold, past):
    before = evidence_of(sold).body
    past.lend("another")
    assert evidence_of(sold).body == before


def test_any_change_of_the_loan_is_another_hash(topped_up, past):
    before = evidence_of(topped_up).content["sha256"]
    past.post("1")
    assert evidence_of(topped_up).content["sha256"]["evidence"] != before["evidence"]


def test_when_quotes_are_pruned_the_hash_of_the_evidence_stays_and_the_lost_ones_are_named(sold):
    before = document_of(sold)
    PriceQuote.objects.all().delete()
    after = document_of(sold)
    assert after["evidence"] == before["evidence"]
    assert after["sha256"]["evidence"] == before["sha256"]["evidence"]
    assert after["quotes"]["recorded"] == []
    assert recompute.claim(after) == recompute.claim(before), "the claim has the curves of its own"
    assert recompute.sale(after) == recompute.sale(before)
    assert after["quotes"]["notRecorded"] == sorted(
        f"{quote['market']}:{quote['reference']}" for quote in before["quotes"]["recorded"]
    )


def test_a_claim_has_the_curves_that_were_recorded_and_the_reference_quantity_of_its_time(sold, settings):
    settings.PRICE_REFERENCE_QUANTITY = Decimal(1)
    document = document_of(sold)
    quotes = document["evidence"]["liquidation"]["claim"]["quotes"]
    assert [quote["quantity"] for quote in quotes] == ["5"] * 2
    assert [recompute.pairs(quote["curve"]) for quote in quotes] == [
        recompute.curve_of(document, f"{quote['market']}:{quote['reference']}") for quote in quotes
    ]
    assert document["quotes"]["referenceQuantity"] == "1"


def test_a_claim_from_before_curves_were_kept_has_evidence_without_them(sold):
    sale = Liquidation.objects.get()
    old = [{name: value for name, value in one.items() if name not in {"quantity", "curve"}} for one in sale.evidence]
    with history.cause("test", correlation_id="an old claim"):
        Liquidation.objects.update(evidence=old)
    for quote in document_of(sold)["evidence"]["liquidation"]["claim"]["quotes"]:
        assert (quote["quantity"], quote["curve"]) == (None, None)
        assert quote["price"] is not None


def test_a_loan_that_is_still_new_has_evidence_too(past):
    past.lend(units="0.5")
    document = document_of("be4ed368-13f9")
    assert document["evidence"]["loan"]["status"] == "new"
    assert document["evidence"]["liquidation"] is None


def test_an_unknown_loan_has_none(db):
    with pytest.raises(LoanNotFound, match=r"There is no loan nobody\."):
        evidence_of("nobody")
