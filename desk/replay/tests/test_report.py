"""Totals and differences, by worked loans."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from desk.replay import report as reports
from desk.replay.engine import Fate, Step
from desk.replay.report import Report

T0 = datetime(2026, 11, 26, 12, tzinfo=UTC)


def step(seconds, *, owed="1000", price="30"):
    at = T0 + timedelta(seconds=seconds)
    return Step(at, Decimal(price), at, Decimal(owed), Decimal(40))


def names(keys):
    return {key: f"loan-{key}" for key in keys}


def totals(report, kind):
    found = report.as_json(names)["totals"][kind]
    return {where: (one["loans"], one["owed"]) for where, one in found.items() if one["loans"]}


def test_each_sale_is_in_both_or_in_one_of_the_two():
    report = Report()
    report.add(1, Fate(sale=step(1)), Fate(sale=step(1)))
    report.add(2, Fate(sale=step(1, owed="5")), Fate(sale=step(2, owed="7")))
    report.add(3, Fate(sale=step(1, owed="0.5")), Fate())
    report.add(4, Fate(), Fate(sale=step(1, owed="3")))
    report.add(5, Fate(), Fate(sale=step(1, owed="4")))
    report.add(6, Fate(), Fate())
    assert totals(report, "sold") == {
        "same": (1, "1000"), "otherInstant": (1, "5"), "onlyReality": (1, "0.5"), "onlyReplay": (2, "7"),
    }  # fmt: skip
    assert totals(report, "called") == {}
    assert [(row["loanId"], row["where"]) for row in report.as_json(names)["differences"]["sold"]] == [
        ("loan-2", "otherInstant"), ("loan-5", "onlyReplay"), ("loan-4", "onlyReplay"), ("loan-3", "onlyReality"),
    ]  # fmt: skip


def test_margin_calls_of_a_loan_are_compared_one_by_one_with_when_they_were_cleared():
    report = Report()
    really = Fate((step(1), step(5)), (T0 + timedelta(seconds=3), None))
    report.add(1, really, Fate((step(1),), (None,)))
    assert totals(report, "called") == {"same": (1, "1000"), "onlyReality": (1, "1000")}
    (row,) = report.as_json(names)["differences"]["called"]
    assert row == {
        "loan": 1, "loanId": "loan-1", "kind": "called", "where": "onlyReality", "replay": None,
        "reality": {
            "at": "2026-11-26T12:00:05Z", "price": "30", "owed": "1000", "collateral": "40", "clearedAt": None,
        },
    }  # fmt: skip


def test_of_many_differences_those_with_the_most_owed_are_kept_and_all_are_counted(monkeypatch):
    monkeypatch.setattr(reports, "MOST", 3)
    report = Report()
    for pk in range(1, 11):
        report.add(pk, Fate(), Fate(sale=step(1, owed=str(pk % 5 + 1))))
    assert totals(report, "sold") == {"onlyReplay": (10, "30")}
    kept = report.as_json(names)["differences"]["sold"]
    assert [(row["loan"], row["replay"]["owed"]) for row in kept] == [(4, "5"), (9, "5"), (3, "4")]
