"""The table of what an answer proves, cell by cell."""

from decimal import Decimal

import pytest

from liquidation.verdicts import NeverSent, Refused, Traded, Unclear, Verdict, fill, verdict

ORDERED = Decimal(10)


def traded(units="10", proceeds="500", *, echo_fits=True, order_id="M1"):
    return Traded(
        order_id,
        None if units is None else Decimal(units),
        None if proceeds is None else Decimal(proceeds),
        echo_fits,
        f"{order_id}|{units}|{proceeds}|{echo_fits}",
    )


FITTING = [traded(), traded("0.00000001", "0.01"), traded("9.99999999")]
MISMATCHES = [
    traded("10.00000001"),
    traded("0"),
    traded("10", "0"),
    traded(None),
    traded("10", None),
    traded(echo_fits=False),
    traded(order_id=""),
]
UNCLEAR = [Unclear(kind, "") for kind in ("status 500", "time-out", "connection lost", "unreadable", "status 302")]
DUPLICATES = [Refused(reason) for reason in ("Duplicate request", "requestId already used", "order was seen before")]


@pytest.mark.parametrize("first_send", [True, False])
@pytest.mark.parametrize("answer", FITTING)
def test_a_success_that_fits_is_a_fill_whenever_it_comes(answer, first_send):
    assert verdict(answer, ordered=ORDERED, first_send=first_send, known_mismatch="") is Verdict.FILLED
    assert fill(answer, ordered=ORDERED).units == answer.units


@pytest.mark.parametrize("first_send", [True, False])
@pytest.mark.parametrize("answer", MISMATCHES)
def test_a_success_that_does_not_fit_proves_nothing_and_twice_calls_a_person(answer, first_send):
    assert fill(answer, ordered=ORDERED) is None
    once = verdict(answer, ordered=ORDERED, first_send=first_send, known_mismatch="")
    other = verdict(answer, ordered=ORDERED, first_send=first_send, known_mismatch="another answer")
    again = verdict(answer, ordered=ORDERED, first_send=first_send, known_mismatch=answer.figures)
    assert (once, other, again) == (Verdict.UNKNOWN, Verdict.UNKNOWN, Verdict.UNRESOLVED)


def test_a_refusal_of_the_only_send_is_a_refusal():
    assert verdict(Refused("no buyers"), ordered=ORDERED, first_send=True, known_mismatch="") is Verdict.REFUSED


@pytest.mark.parametrize("reason", ["no buyers", "the market is already closed", "used up"])
def test_a_refusal_of_a_resend_proves_nothing(reason):
    assert verdict(Refused(reason), ordered=ORDERED, first_send=False, known_mismatch="") is Verdict.UNKNOWN


@pytest.mark.parametrize("answer", DUPLICATES)
def test_a_refusal_as_duplicate_is_unknown_at_first_and_calls_a_person_later(answer):
    assert verdict(answer, ordered=ORDERED, first_send=True, known_mismatch="") is Verdict.UNKNOWN
    assert verdict(answer, ordered=ORDERED, first_send=False, known_mismatch="") is Verdict.UNRESOLVED


def test_a_connection_that_never_opened_refuses_only_the_first_send():
    answer = NeverSent("refused")
    assert verdict(answer, ordered=ORDERED, first_send=True, known_mismatch="") is Verdict.REFUSED
    assert verdict(answer, ordered=ORDERED, first_send=False, known_mismatch="") is Verdict.UNKNOWN


@pytest.mark.parametrize("first_send", [True, False])
@pytest.mark.parametrize("answer", UNCLEAR)
def test_everything_else_proves_nothing(answer, first_send):
    assert verdict(answer, ordered=ORDERED, first_send=first_send, known_mismatch="") is Verdict.UNKNOWN
