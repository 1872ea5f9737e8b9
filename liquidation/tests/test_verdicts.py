"""The table of what an answer proves, cell by cell."""

from decimal import Decimal

import pytest

from liquidation.verdicts import Earlier, NeverSent, Refused, Traded, Unclear, Verdict, fill, kind, verdict

ORDERED = Decimal(10)
#: An order's earlier sends: none, all refused, one that never left, one lost.
FIRST = Earlier()
REFUSED_ONCE = Earlier(sends=1, refused=1)
REFUSED_TWICE = Earlier(sends=2, refused=2)
NEVER_LEFT = Earlier(sends=2, never_sent=2)
REFUSED_AND_NEVER_LEFT = Earlier(sends=4, refused=2, never_sent=2)
LOST = Earlier(sends=1)
LOST_AMONG_REFUSALS = Earlier(sends=4, refused=3)
ALL = [
    FIRST, REFUSED_ONCE, REFUSED_TWICE, NEVER_LEFT, REFUSED_AND_NEVER_LEFT, LOST, LOST_AMONG_REFUSALS
]  # fmt: skip
NOTHING_TRADED = [
    Refused("no buyers"),
    Refused("the market is closed"),
    Traded("", Decimal(0), Decimal(0), echo_fits=True, figures="0|0"),
]


def traded(units="10", proceeds="500", *, echo_fits=True, order_id="M1"):
    return Traded(
        order_id,
        None if units is None else Decimal(units),
        None if proceeds is None else Decimal(proceeds),
        echo_fits,
        f"{order_id}|{units}|{proceeds}|{echo_fits}",
    )


def proves(answer, earlier, *, seen_before=False):
    return verdict(answer, ordered=ORDERED, earlier=earlier, seen_before=seen_before)


FITTING = [traded(), traded("0.00000001", "0.01"), traded("9.99999999")]
MISMATCHES = [
    traded("10.00000001"),
    traded("0"),
    traded("10", "0"),
    traded("0", "0", echo_fits=False),
    traded(None),
    traded(None, "0"),
    traded("10", None),
    traded(echo_fits=False),
    traded(order_id=""),
]
UNCLEAR = [Unclear(kind, "") for kind in ("status 500", "time-out", "connection lost", "unreadable", "status 302")]
DUPLICATES = ["Duplicate request", "requestId already used", "order was seen before"]
DOUBTS = [
    "status unknown", "Upstream timeout", "timed out", "request time-out", "internal error", "order is pending",
    "still in progress", "already exists", "being processed", "order exists", "try again later", "gateway failure",
    "connection reset by peer", "could not confirm the trade", "unexpected exception", "it may have been executed",
    "status could not be determined", "awaiting confirmation", "order was placed", "order routed", "under review",
    "not acknowledged", "no answer from the exchange", "socket hang up", "HTTP 502", "double submission", "on hold",
    "partially filled", "order accepted", "queued", "40 units sold at 30", "service unavailable", "unclear",
]  # fmt: skip


@pytest.mark.parametrize("earlier", ALL)
@pytest.mark.parametrize("answer", FITTING)
def test_a_success_that_fits_is_a_fill_whenever_it_comes(answer, earlier):
    assert proves(answer, earlier) is Verdict.FILLED
    assert fill(answer, ordered=ORDERED).units == answer.units


@pytest.mark.parametrize("earlier", ALL)
@pytest.mark.parametrize("answer", MISMATCHES)
def test_a_success_that_does_not_fit_proves_nothing_and_twice_calls_a_person(answer, earlier):
    assert fill(answer, ordered=ORDERED) is None
    assert proves(answer, earlier) is Verdict.UNKNOWN
    assert proves(answer, earlier, seen_before=True) is Verdict.UNRESOLVED


@pytest.mark.parametrize("answer", NOTHING_TRADED)
def test_a_refusal_is_believed_when_three_sends_had_one_and_none_anything_else(answer):
    assert [proves(answer, earlier) for earlier in (FIRST, REFUSED_ONCE, REFUSED_TWICE)] == [
        Verdict.ASK_AGAIN,
        Verdict.ASK_AGAIN,
        Verdict.REFUSED,
    ]
    assert proves(answer, NEVER_LEFT) is Verdict.ASK_AGAIN
    assert proves(answer, REFUSED_AND_NEVER_LEFT) is Verdict.REFUSED


@pytest.mark.parametrize("answer", NOTHING_TRADED)
@pytest.mark.parametrize("earlier", [LOST, LOST_AMONG_REFUSALS])
def test_after_a_send_that_may_have_traded_no_number_of_refusals_proves_anything(answer, earlier):
    assert proves(answer, earlier) is Verdict.UNKNOWN


@pytest.mark.parametrize("earlier", ALL)
@pytest.mark.parametrize("reason", DOUBTS)
def test_a_refusal_whose_words_raise_doubt_proves_nothing(reason, earlier):
    assert kind(Refused(reason)) == "doubtful refusal"
    assert proves(Refused(reason), earlier) is not Verdict.REFUSED
    assert proves(Refused(reason), earlier) is not Verdict.ASK_AGAIN


@pytest.mark.parametrize("earlier", ALL)
def test_a_refusal_whose_form_raises_doubt_proves_nothing(earlier):
    assert proves(Refused("no buyers", "status 409"), earlier) is Verdict.UNKNOWN


@pytest.mark.parametrize("reason", ["no buyers", "insufficient liquidity", "market closed", "price limit", "no luck"])
def test_plain_words_raise_no_doubt(reason):
    assert Refused(reason).is_clean


@pytest.mark.parametrize("reason", DUPLICATES)
def test_a_refusal_as_duplicate_is_unknown_at_first_and_calls_a_person_later(reason):
    assert proves(Refused(reason), FIRST) is Verdict.UNKNOWN
    assert proves(Refused(reason, "status 409"), NEVER_LEFT) is Verdict.UNKNOWN
    for earlier in (REFUSED_ONCE, LOST, LOST_AMONG_REFUSALS):
        assert proves(Refused(reason, "status 409"), earlier) is Verdict.UNRESOLVED


def test_a_connection_that_never_opened_refuses_only_an_order_that_never_left():
    answer = NeverSent("refused")
    assert proves(answer, FIRST) is Verdict.REFUSED
    assert proves(answer, NEVER_LEFT) is Verdict.REFUSED
    for earlier in (REFUSED_ONCE, REFUSED_TWICE, LOST, LOST_AMONG_REFUSALS):
        assert proves(answer, earlier) is Verdict.UNKNOWN


@pytest.mark.parametrize("earlier", ALL)
@pytest.mark.parametrize("answer", UNCLEAR)
def test_everything_else_proves_nothing(answer, earlier):
    assert proves(answer, earlier) is Verdict.UNKNOWN
