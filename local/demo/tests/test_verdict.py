"""The rules by which a demo passes or fails."""

from decimal import Decimal
from typing import Any

import pytest

from local.demo.simulators import ClientsLoan, Simulators, Trade
from local.demo.verdict import (
    check_counts,
    check_events,
    check_fills,
    check_finished,
    check_loan_events,
    check_postings,
    named,
    report_without_gaps,
)

ONE = ("mos_espa", Decimal("2.5"), Decimal("124.75"))
SAME = Trade("mos_espa", Decimal("2.50"), Decimal("124.750"))


def passed(booked: dict[str, tuple[str, Decimal, Decimal]], traded: dict[str, Trade], pending: set[str]) -> list[bool]:
    return [check.passed for check in check_fills(booked, traded, pending)]


def test_books_that_agree_pass_whatever_the_trailing_zeros() -> None:
    assert passed({"a": ONE}, {"a": SAME}, set()) == [True, True, True]


def test_trade_that_is_not_booked_fails_unless_its_order_waits_for_a_verdict() -> None:
    assert passed({}, {"a": SAME}, set()) == [False, True, True]
    assert passed({}, {"a": SAME}, {"a"}) == [True, True, True]


def test_fill_that_no_market_knows_fails() -> None:
    assert passed({"a": ONE}, {}, set()) == [True, False, True]


def test_fill_with_other_figures_or_at_another_market_fails() -> None:
    for other in (
        Trade("mos_espa", Decimal("2.5"), Decimal("124.76")),
        Trade("mos_espa", Decimal("2.4"), Decimal("124.75")),
        Trade("black_spire_outpost", Decimal("2.5"), Decimal("124.75")),
    ):
        assert passed({"a": ONE}, {"a": other}, set()) == [True, True, False]


def test_too_little_happening_fails() -> None:
    enough = {"applied": 50, "activated": 20, "liquidated": 10}
    assert all(check.passed for check in check_counts(enough))
    for name, least in enough.items():
        assert [check.passed for check in check_counts(enough | {name: least - 1})].count(False) == 1


def test_work_under_way_fails() -> None:
    done = {"unsettled": 0, "unsent": 0, "unsent_loan_events": 0}
    assert check_finished(done).passed
    for name in done:
        assert not check_finished(done | {name: 1}).passed


def test_loan_events_that_were_not_heard_or_not_told_fail() -> None:
    assert [check.passed for check in check_loan_events({"a"}, {"a", "earlier"}, [])] == [True, True]
    assert [check.passed for check in check_loan_events({"a", "b"}, {"a"}, [])] == [False, True]
    assert [check.passed for check in check_loan_events({"a"}, {"a"}, ["loan l1 has events [2]"])] == [True, False]
    assert not check_loan_events(set(), set(), [])[0].passed, "loan events are part of the demo"


def test_gap_that_closes_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.demo.verdict.time.sleep", lambda _seconds: None)
    reports: list[dict[str, Any]] = [{"loanEventGaps": ["loan l1"]}, {"loanEventGaps": []}]
    monkeypatch.setattr(Simulators, "otc_report", lambda _self, *, brief: reports.pop(0))
    assert report_without_gaps(Simulators.__new__(Simulators)) == {"loanEventGaps": []}
    monkeypatch.setattr("local.demo.verdict.GAPS_CLOSE_WITHIN_SECONDS", 0)
    reports.append({"loanEventGaps": ["loan l1"]})
    assert report_without_gaps(Simulators.__new__(Simulators))["loanEventGaps"]


def test_event_that_was_not_received_fails_and_is_named() -> None:
    assert check_events({"e": "{}"}, {"e", "f"}).passed
    check = check_events({"e": "{}", "g": "{}"}, {"e"})
    assert not check.passed
    assert check.sentence == "1 of 2 sent events reached the OTC service: g"


def test_only_a_few_are_named() -> None:
    assert named(list("abcdefg")) == ": a, b, c, d, e, …"


def test_loan_that_holds_other_than_its_client_posted_fails_unless_an_answer_is_missing() -> None:
    def check(posted: str, booked: dict[str, tuple[Decimal, Decimal]], *, sure: bool = True) -> bool:
        return check_postings({"L": ClientsLoan(Decimal(9), Decimal(posted), sure)}, booked).passed

    assert check("4.50", {"L": (Decimal(9), Decimal("4.5"))})
    assert check("0", {}), "an application that was refused"
    assert not check("4.5", {}), "a posting that was lost"
    assert not check("4.5", {"L": (Decimal(9), Decimal(9))}), "a posting that was doubled"
    assert not check("4.5", {"L": (Decimal(8), Decimal("4.5"))})
    assert check("4.5", {"L": (Decimal(9), Decimal(9))}, sure=False)
