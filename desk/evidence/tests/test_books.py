"""Every kind of row that may tell of a loan is read, by the rows that name it, as of one instant."""

import json
import threading
from decimal import Decimal

import pytest
from django.apps import apps
from django.db import connection, connections

from coruscant import clock
from coruscant.admin.tests.bank import make_bank
from coruscant.money import decimal_string
from coruscant.restores import identity
from desk.evidence.document import evidence_of
from desk.evidence.tests import recompute
from desk.evidence.tests.support import document_of
from liquidation import moves, restored
from liquidation.models import Liquidation, TradeOrder
from liquidation.moves_two_people import MOVE
from liquidation.reconciliation.models import ReconciliationDifference
from liquidation.reconciliation.tests.test_compare import line, next_id
from liquidation.reconciliation.two_people import ADOPT, RELEASE_SALE
from liquidation.sell import Outcome
from liquidation.two_people import TRADED
from loans import terms_two_people
from loans.events.models import LoanEvent
from loans.models import Loan
from loans.postings import post_collateral

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


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


def test_loan_events_and_their_delivery_are_there(sold):
    events = document_of(sold)["evidence"]["loanEvents"]
    assert [event["eventType"] for event in events] == [
        "application", "activation", "margin-call", "liquidation-started",
    ]  # fmt: skip
    assert [event["body"] for event in events] == list(
        LoanEvent.objects.order_by("sequence").values_list("body", flat=True)
    )
    assert all(event["sentAt"] and event["messageId"] for event in events)


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


def test_a_trade_that_two_people_adopted_stands_on_the_statement_and_names_them(past, two_agree, compare):
    loan_id = past.lend()
    request_id = next_id(Loan.objects.get())
    compare(lines=[line(request_id, "8", "201.5")])
    two_agree(ADOPT, difference_id=ReconciliationDifference.objects.get().pk)
    document = document_of(loan_id)
    (difference,) = document["evidence"]["statements"]["differences"]
    assert (difference["requestId"], difference["status"], difference["units"]) == (request_id, "adopted", "8")
    (quote,) = document["evidence"]["liquidation"]["claim"]["quotes"]
    assert quote["reference"] == f"statement {difference['statement']['id']}, request {request_id}"
    assert not any("statement" in name for name in document["quotes"]["notRecorded"])
    claimed = document["evidence"]["timeline"][recompute.first_step(document, table="liquidation")]["cause"]
    assert (claimed["action"], claimed["correlationId"]) == ("adopt", f"difference-{difference['id']}")
    assert claimed["actor"] == "leia and han"
    assert [one["action"] for one in document["evidence"]["approvals"]] == [ADOPT]
    assert recompute.without_cause(document) == []


def test_a_claim_that_a_pause_withheld_and_one_that_the_database_refuses_are_there():
    warned = make_bank().warned
    evidence = document_of(warned.loan_id)["evidence"]
    (withheld,) = evidence["withheldClaims"]
    assert (withheld["price"], withheld["control"]["kind"], withheld["control"]["pulledBy"]) == (
        "40", "pause_claims", "nobody",
    )  # fmt: skip
    assert evidence["claimFailure"]["reason"] == "numeric overflow"
    assert "control" in {step["table"] for step in evidence["timeline"]}


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


def test_no_table_that_names_a_loan_its_liquidation_or_an_order_is_forgotten():
    """Whoever adds one adds it to the evidence, or says here why not."""
    naming = {
        model.__name__
        for model in apps.get_models()
        if not model.__name__.startswith("Historical")
        and any(field.related_model in {Loan, Liquidation, TradeOrder} for field in model._meta.local_fields)
    }
    answers_of_the_api = {"AcceptedRequest"}
    assert naming - answers_of_the_api == {
        "ClaimFailure", "CollateralPosting", "Liquidation", "LiquidationEvent", "LoanEvent", "MarginCall",
        "MarginNotice", "OrderAnswer", "ReconciliationDifference", "TradeOrder", "WithheldClaim",
    }  # fmt: skip


def test_a_notice_before_a_margin_call_is_there():
    active = make_bank().active
    (notice,) = document_of(active.loan_id)["evidence"]["marginNotices"]
    assert (notice["noticeLtv"], notice["price"], notice["outstandingBalance"]) == ("0.65", "38", "1000")
    assert notice["ltv"] == "0.657894736842105263157895"
