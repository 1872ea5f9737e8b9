"""The evidence alone is enough: a script that has nothing but the JSON finds why, what and by whom."""

import json
import threading
from decimal import Decimal
from pathlib import Path

import pytest
from django.db import connection, connections
from jsonschema import Draft202012Validator

from coruscant import clock
from coruscant.money import decimal_string
from coruscant.restores import identity
from desk.evidence.document import evidence_of
from desk.evidence.tests import recompute
from liquidation import invariants, moves, restored
from liquidation.models import Liquidation, LiquidationEvent, TradeOrder
from liquidation.moves_two_people import MOVE
from liquidation.reconciliation.two_people import RELEASE_SALE
from liquidation.sell import Outcome
from liquidation.two_people import TRADED
from loans import terms_two_people
from loans.events.models import LoanEvent
from loans.models import Loan
from loans.postings import post_collateral
from loans.selectors import LoanNotFound
from pricing.models import PriceQuote

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]

SCHEMA = json.loads((Path(__file__).parents[3] / "docs" / "evidence.schema.json").read_text())


def document_of(loan_id):
    """As whoever got the file has it: it fits the schema, and its hashes fit."""
    found = recompute.read(evidence_of(loan_id).body)
    Draft202012Validator(SCHEMA).validate(found)
    assert recompute.hashes_fit(found)
    return found


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


def test_every_send_and_every_answer_of_every_order_is_there(sold):
    orders = document_of(sold)["evidence"]["liquidation"]["orders"]
    assert [order["requestId"] for order in orders] == list(
        TradeOrder.objects.order_by("sequence").values_list("request_id", flat=True)
    )
    refused, unclear, *_others = orders
    assert refused["status"] == "refused"
    assert ["no buyers" in answer["text"] for send in refused["sends"] for answer in send["answers"]] == [True] * 3
    assert [answer["kind"] for send in unclear["sends"] for answer in send["answers"]] == [
        answer.kind for answer in TradeOrder.objects.get(sequence=2).answers.order_by("send")
    ]
    assert len(unclear["sends"]) == 3
    assert unclear["status"] == "filled"


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


def test_loan_events_and_their_delivery_are_there(sold):
    events = document_of(sold)["evidence"]["loanEvents"]
    assert [event["eventType"] for event in events] == [
        "application", "activation", "margin-call", "liquidation-started",
    ]  # fmt: skip
    assert [event["body"] for event in events] == list(
        LoanEvent.objects.order_by("sequence").values_list("body", flat=True)
    )
    assert all(event["sentAt"] and event["messageId"] for event in events)


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


def test_an_order_that_two_people_resolved_names_both_and_what_they_agreed_to(past, markets, two_agree):
    loan_id = past.lend()
    past.price("36")
    past.price("30")
    markets.then(500, json.dumps({"success": False, "reason": "duplicate request"}))
    assert past.sell() is Outcome.WAITING
    order = TradeOrder.objects.get()
    two_agree(TRADED, order_id=order.pk, units=order.quantity, proceeds=Decimal(1002))
    document = document_of(loan_id)
    (approval,) = document["evidence"]["approvals"]
    assert (approval["action"], approval["arguments"]["order_id"]) == (TRADED, order.pk)
    assert (approval["askedByName"], approval["decidedByName"], approval["outcome"]) == ("leia", "han", "executed")
    filled = recompute.first_step(document, table="order", status="filled")
    cause = document["evidence"]["timeline"][filled]["cause"]
    assert cause["action"] == "resolve-by-two"
    assert cause["correlationId"] == order.request_id
    assert "leia" in cause["actor"]
    assert "han" in cause["actor"]
    assert recompute.sale(document)["surplus"] == 2
    assert document["evidence"]["liquidation"]["sale"]["surplus"] == "2"
    assert recompute.without_cause(document) == []


def test_a_restore_and_what_a_market_stated_are_there(past, markets, two_agree, compare, enqueued):
    identity.forget()
    loan_id = past.lend()
    past.price("36")
    past.price("30")
    markets.price = dict.fromkeys(markets.price, Decimal(30))
    assert past.sell() is Outcome.SETTLED
    restore = restored.begin(since=clock.now(), by="leia", insist=True, reason="a disk was lost")
    compare()
    document = document_of(loan_id)
    (shown,) = document["evidence"]["restores"]
    assert (shown["id"], shown["reason"], shown["begunBy"]) == (restore.pk, "a disk was lost", "leia")
    assert document["evidence"]["liquidation"]["heldByRestore"] == restore.pk
    (stated,) = document["evidence"]["statements"]["trades"]
    assert (stated["units"], stated["proceeds"]) == tuple(
        decimal_string(recompute.sale(document)[name]) for name in ("collateralSold", "proceeds")
    )
    begun = document["evidence"]["timeline"][recompute.first_step(document, table="restore")]["cause"]
    assert begun["action"] == "after restore"
    two_agree(RELEASE_SALE, liquidation_id=Liquidation.objects.get().pk)
    (approval,) = document_of(loan_id)["evidence"]["approvals"]
    assert approval["action"] == RELEASE_SALE
    identity.forget()


def test_a_loan_that_two_people_moved_to_other_terms_shows_both_and_the_move(past, two_agree, monkeypatch):
    monkeypatch.setattr(moves, "FEED_MAY_LAG", moves.FEED_MAY_LAG * 6)
    loan_id = past.lend(units="60")
    stricter = {"activation": "0.46", "margin_call": "0.65", "margin_call_clear": "0.55", "liquidation": "0.75"}
    two_agree(terms_two_people.MAKE, **{f"{name}_ltv": Decimal(value) for name, value in stricter.items()})
    past.price("50")
    two_agree(MOVE, of=1, to=2)
    terms = document_of(loan_id)["evidence"]["terms"]
    assert [one["version"] for one in terms["versions"]] == [1, 2]
    assert (terms["openedUnder"], terms["versions"][1]["liquidationLtv"]) == (1, "0.75")
    (move,) = terms["moves"]
    assert (move["from"], move["to"], move["cause"]["correlationId"]) == (1, 2, "terms-1-to-2")
    assert [one["action"] for one in document_of(loan_id)["evidence"]["approvals"]] == [MOVE]


def test_the_same_books_give_the_same_bytes(sold):
    assert evidence_of(sold).body == evidence_of(sold).body
    Liquidation.objects.update(fence=99)  # bookkeeping, which is no evidence
    assert evidence_of(sold).body == evidence_of(sold).body


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
    assert after["quotes"]["notRecorded"] == sorted(
        f"{quote['market']}:{quote['reference']}" for quote in before["quotes"]["recorded"]
    )


def test_a_loan_with_nothing_but_an_application_has_evidence_too(past):
    past.lend(units="0.5")
    document = document_of("be4ed368-13f9")
    assert document["evidence"]["loan"]["status"] == "new"
    assert document["evidence"]["liquidation"] is None


def test_an_unknown_loan_has_none(db):
    with pytest.raises(LoanNotFound, match=r"There is no loan nobody\."):
        evidence_of("nobody")


def test_it_takes_a_bounded_number_of_queries(sold, django_assert_max_num_queries):
    with django_assert_max_num_queries(30):
        evidence_of(sold)


@pytest.mark.django_db(transaction=True)
def test_it_shows_the_books_as_of_one_instant(loan):
    """A posting that commits while it is read is in no part of it."""
    ours, posting = loan(), []

    def post():
        try:
            post_collateral(
                client="", request_id="meanwhile", loan_id=ours.loan_id, borrower_id=ours.borrower_id, amount=Decimal(2)
            )
        finally:
            connections.close_all()

    def after_the_loan(execute, sql, params, many, context):
        found = execute(sql, params, many, context)
        if not posting and "loans_loan" in sql:
            posting.append(threading.Thread(target=post))
            posting[0].start()
            posting[0].join(60)
        return found

    with connection.execute_wrapper(after_the_loan):
        document = json.loads(evidence_of(ours.loan_id).body)
    assert Loan.objects.get().collateral == 42, "it was posted"
    assert document["evidence"]["loan"]["collateral"] == "40"
    assert recompute.posted(document) == 40
    assert "meanwhile" not in json.dumps(document)
