"""Steps of a sale: its claim, orders and answers, and what statements say."""

from decimal import Decimal
from types import SimpleNamespace

import pytest

from desk.loan import of_sale
from desk.loan.step import QuoteShown, Told
from desk.loan.tests.changes import LATER, NOON, change, known, shown

CLAIM = {
    "claimedAt": NOON, "balanceAtClaim": Decimal(1000), "collateralAtClaim": Decimal(40), "price": Decimal(30),
    "evidence": [], "status": "selling",
}  # fmt: skip
SETTLED = {
    "status": "settled", "settledAt": NOON, "collateralSold": Decimal(33), "proceeds": Decimal("1001.25"),
    "surplus": Decimal("1.25"), "shortfall": Decimal(0), "collateralLeft": Decimal(7),
}  # fmt: skip
ORDER = {
    "sequence": 2, "market": "mos_espa", "quantity": Decimal(40), "quotedUnitPrice": Decimal("30.5"), "createdAt": NOON
}  # fmt: skip


def order(**columns):
    return SimpleNamespace(**{"pk": 9, "sequence": 2, "market": "mos_espa", "sends": 1, **columns})


def answer(send, **columns):
    found = {"order_id": 9, "send": send, "received_at": NOON, "kind": "refusal", "text": "no buyers", "stale": False}
    return SimpleNamespace(**{**found, **columns})


def test_a_claim_says_its_ltv_its_price_and_what_was_owed_and_pledged():
    events = [SimpleNamespace(event_type="liquidation-started", created_at=NOON, event_id="e-1", sent_at=LATER)]
    made = change("liquidation", CLAIM, created=True, reason="claim mos_espa:event-7", actor="system")
    step = of_sale.liquidation(made, known(loan_events=events))
    assert shown(step) == ("Claimed", "at 83.33 % (30 GC a unit): 1,000 GC owed against 40 units", "danger")
    assert (step.at, step.by, step.told) == (NOON, "price of Mos Espa", Told("e-1", LATER))


def test_the_quotes_behind_a_claim_are_told_as_it_kept_them_those_of_old_without_curves():
    sent = "2026-05-04T12:00:00+00:00"
    kept = {"market": "mos_espa", "sentAt": sent, "price": "30"}
    assert [
        *of_sale.quotes(
            [
                {**kept, "reference": "e-1", "confirmedBy": "mos_espa:e-2", "curve": [["1", "30"], ["10", "29"]]},
                {**kept, "reference": "e-3", "suspect": True, "price": None},
                {"guard": "on", "jump": "0.4", "agreement": "0.1", "dispute": "0.25"},
            ]
        )
    ] == [
        QuoteShown("Mos Espa", "e-1", NOON, "30", "confirmed by mos_espa:e-2", (("1", "30"), ("10", "29"))),
        QuoteShown("Mos Espa", "e-3", NOON, None, "suspect: it did not count"),
    ]


def test_a_settlement_says_what_was_sold_what_was_over_and_when_its_event_was_sent():
    event = SimpleNamespace(event_id="e-9", sent_at=None)
    step = of_sale.liquidation(change("liquidation", SETTLED, state=CLAIM), known(event=event))
    assert shown(step) == (
        "Settled", "33 units for 1,001.25 GC, 1.25 GC more than was owed; 7 units to be returned", "good",
    )  # fmt: skip
    assert (step.at, step.told) == (NOON, Told("e-9", None))


def test_what_a_sale_could_not_cover_is_said():
    short = {**SETTLED, "proceeds": Decimal(900), "surplus": Decimal(0), "shortfall": Decimal(100)}
    step = of_sale.liquidation(change("liquidation", short, state=CLAIM), known())
    assert shown(step) == ("Settled", "33 units for 900 GC, 100 GC not covered; 7 units to be returned", "danger")


def test_a_sale_waits_for_a_person_and_goes_on():
    waiting = change("liquidation", {"status": "waiting"}, state=CLAIM)
    assert shown(of_sale.liquidation(waiting, known())) == ("Waiting", "for a person", "danger")
    selling = change("liquidation", {"status": "selling"}, state={**CLAIM, "status": "waiting"})
    assert shown(of_sale.liquidation(selling, known())) == ("Selling", "again", "")


def test_what_a_fill_changes_is_told_by_its_order_and_any_other_change_by_itself():
    fill = change("liquidation", {"collateralSold": Decimal(1), "proceeds": Decimal(30)}, state=CLAIM)
    assert of_sale.liquidation(fill, known()) is None
    assert of_sale.event(change("event", {"sentAt": NOON, "messageId": "m"}), known()) is None
    for made, tell in (
        (change("liquidation", {"price": Decimal(1)}, state=CLAIM), of_sale.liquidation),
        (change("event", {"body": "{}"}), of_sale.event),
        (change("order", {"payload": "{}"}, state=ORDER), of_sale.order),
        (change("difference", {"note": "x"}), of_sale.difference),
    ):
        assert tell(made, known()).title == "Changed"


@pytest.mark.parametrize(
    ("sends", "answers", "whole", "said"),
    [
        (0, [], True, "not sent yet"),
        (1, [answer(1)], True, "sent once"),
        (1, [], True, "sent once, 1 without an answer"),
        (3, [answer(2), answer(2, stale=True)], True, "sent 3 times under one id, 2 without an answer"),
        (3, [answer(3)], False, "sent 3 times under one id"),
    ],
)
def test_an_order_says_how_often_it_was_sent_and_how_often_in_vain(sends, answers, whole, said):
    rows = known(whole=whole, orders=[order(sends=sends)], answers=answers)
    step = of_sale.order(change("order", ORDER, created=True), rows)
    assert shown(step) == ("Order 2", f"40 units to Mos Espa, quoted at 30.5 GC a unit; {said}", "")


@pytest.mark.parametrize(
    ("values", "step"),
    [
        (
            {"status": "filled", "answeredAt": NOON, "unitsTraded": Decimal(8), "proceeds": Decimal("240.5")},
            ("Order 2 filled", "8 units for 240.5 GC", "good"),
        ),
        ({"status": "refused", "answeredAt": NOON}, ("Order 2 refused", "nothing was traded", "")),
        ({"status": "unresolved"}, ("Order 2 unresolved", "a person must find out", "danger")),
        (
            {"status": "unknown"},
            ("Order 2 unknown", "the answers do not prove enough, it is sent again", "warning"),
        ),
    ],
)
def test_what_became_of_an_order_is_said(values, step):
    assert shown(of_sale.order(change("order", values, state=ORDER), known())) == step


def test_every_answer_is_told_word_by_word_and_that_of_a_stale_worker_as_such():
    rows = known(orders=[order(sends=2)], answers=[answer(1), answer(2, kind="success", text="{}", stale=True)])
    first, second = of_sale.without_history(rows)
    assert (first.title, first.text, first.said, first.by) == (
        "Order 2, send 1", "answered: refusal", "no buyers", "Mos Espa",
    )  # fmt: skip
    assert second.text == "answered: success: too late to decide anything"


def test_what_a_statement_has_and_how_it_differs_from_the_books_is_told():
    statement = SimpleNamespace(pk=4, compared_at=LATER, compared_by="leia")
    line = SimpleNamespace(
        reconciliation=statement, market="mos_espa", units=Decimal(8), proceeds=Decimal(240), request_id="r-7"
    )
    (stated,) = of_sale.without_history(known(stated=[line]))
    assert (stated.at, stated.by, stated.cause) == (LATER, "leia", "statement 4, request r-7")
    assert shown(stated) == ("Stated", "by Mos Espa: 8 units for 240 GC", "")
    found = {
        "market": "mos_espa", "kind": "unbooked", "status": "open", "units": Decimal(8), "proceeds": Decimal(240),
        "foundAt": NOON, "closedAt": None, "note": "",
    }  # fmt: skip
    assert shown(of_sale.difference(change("difference", found, created=True), known())) == (
        "Difference 9",
        "statement of Mos Espa: The books know the order, but no trade of it, 8 units for 240 GC",
        "warning",
    )
    explained = {"status": "explained", "closedAt": NOON, "note": "a test order"}
    step = of_sale.difference(change("difference", explained, state=found), known())
    assert (step.at, step.text) == (NOON, "Explained by two people. a test order")
