"""The steps of the timeline in words."""

from desk.evidence.page import page_of

CAUSE = {"actor": "otc", "reason": "posting r-1"}


def steps_of(*steps, orders=()):
    evidence = {"liquidation": {"orders": list(orders)}, "timeline": list(steps)}
    return [(step["what"], step["values"]) for step in page_of({"evidence": evidence})["steps"]]


def step(table, change, values, row=9):
    return {
        "at": "2026-05-04T08:30:00Z",
        "table": table,
        "row": row,
        "change": change,
        "values": values,
        "cause": CAUSE,
    }


def test_a_new_row_shows_what_it_holds_and_a_change_what_it_became():
    values = {"amount": "40", "note": "", "closedAt": None, "tooLate": False, "evidence": [{"price": "1"}]}
    assert steps_of(step("posting", "created", values), step("posting", "changed", values)) == [
        ("Posting 9 created", "amount 40"),
        ("Posting 9 changed", "amount 40; note none; closedAt none; tooLate no"),
    ]


def test_orders_are_named_by_their_place_in_the_sale_and_the_loan_by_nothing_else():
    named = steps_of(
        step("order", "changed", {"status": "filled"}), step("loan", "changed", {"status": "liquidated"}),
        orders=[{"id": 9, "sequence": 2}],
    )  # fmt: skip
    assert named == [("Order 2 changed", "status filled"), ("Loan changed", "status liquidated")]
