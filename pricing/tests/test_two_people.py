"""Two people change the guard, and see what it would have done to past prices."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from coruscant import clock
from coruscant.approvals.arguments import ArgumentsDoNotFit
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import NotExecuted, agree
from coruscant.approvals.people import SamePerson
from coruscant.approvals.tests.support import log_in, representative
from loans.tests.factories import make_terms
from pricing import reading
from pricing.guard import DEFAULT, Mode, in_force
from pricing.models import PriceGuard
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, at
from pricing.tests.rows import quote_row
from pricing.two_people import CHANGE, GuardDoesNotFit

pytestmark = pytest.mark.django_db

SETTINGS = {"mode": "on", "jump": "0.45", "agreement": "0.10", "dispute": "0.25"}


@pytest.fixture
def ahsoka(db):
    return representative("ahsoka")


@pytest.fixture
def mace(db):
    return representative("mace")


def asked(by, **changed):
    return ask(CHANGE, SETTINGS | changed, why="as decided", asked_by=by)


def test_the_guard_is_on_from_the_beginning():
    (guard,) = reading.guards()
    assert guard.holds_from < clock.now() - timedelta(days=10_000)
    assert (guard.mode, guard.jump, guard.agreement, guard.dispute) == (
        DEFAULT.mode, DEFAULT.jump, DEFAULT.agreement, DEFAULT.dispute
    )  # fmt: skip


def test_both_people_see_what_it_would_have_held(moving_clock, ahsoka):
    moving_clock.now = at(100)
    for sent, price in ((0, "50"), (10, "28"), (11, "50"), (12, "5000"), (13, "50")):
        quote_row(MOS_ESPA, sent, price)
    quote_row(BLACK_SPIRE, 20, "31")
    quote_row(MOS_ESPA, 100, "5000")  # not sent before it was asked for
    assert asked(ahsoka).effect.splitlines() == [
        "The guard over prices is now: on, jump 0.4, agreement 0.1, dispute 0.25.",
        "It becomes: on, jump 0.45, agreement 0.1, dispute 0.25, from the instant of the agreement on.",
        "Of the quotes sent in the seven days to 2026-03-01 12:01:40 UTC, as far as they are kept:",
        "the present jump of 0.4 would have held 2 quotes, of which 2 nothing confirmed.",
        "2026-03-01 12:00:10 UTC, Mos Espa, Tatooine: 50 to 28 GC a unit, not confirmed",
        "2026-03-01 12:00:12 UTC, Mos Espa, Tatooine: 50 to 5000 GC a unit, not confirmed",
        "the new one of 0.45 would have held 2 quotes, of which 1 nothing confirmed.",
        "2026-03-01 12:00:11 UTC, Mos Espa, Tatooine: 28 to 50 GC a unit, confirmed",
        "2026-03-01 12:00:12 UTC, Mos Espa, Tatooine: 50 to 5000 GC a unit, not confirmed",
        "For how long the markets would have been in dispute was not worked out.",
    ]


def test_whoever_asks_chooses_neither_the_period_nor_what_is_shown_of_it(ahsoka):
    for chosen in ({"prices_until": at(100).isoformat()}, {"present_held": "0 quotes"}, {"new_held": "0 quotes"}):
        with pytest.raises(ArgumentsDoNotFit):
            asked(ahsoka, **chosen)


def test_quotes_are_read_when_it_is_asked_for_and_not_under_the_locks_of_the_agreement(ahsoka, mace):
    with CaptureQueriesContext(connection) as asking:
        approval = asked(ahsoka)
    request = log_in(mace)
    with CaptureQueriesContext(connection) as agreeing:
        agree(approval.pk, request=request)
    assert [reads_quotes(asking), reads_quotes(agreeing)] == [True, False]


def reads_quotes(captured):
    return any("pricing_pricequote" in query["sql"] for query in captured.captured_queries)


def test_quotes_sent_since_do_not_change_what_was_asked_for(ahsoka, mace):
    approval = asked(ahsoka)
    now = clock.now()
    quote_row(MOS_ESPA, 0, "50", sent_at=now - timedelta(minutes=2))
    quote_row(MOS_ESPA, 1, "5000", sent_at=now - timedelta(minutes=1))
    assert agree(approval.pk, request=log_in(mace)).outcome == "executed"


def test_nothing_is_done_if_the_guard_was_changed_since(ahsoka, mace):
    first, second = asked(ahsoka), asked(ahsoka, mode="watch")
    agree(first.pk, request=log_in(mace))
    with pytest.raises(NotExecuted, match=r"The guard over prices is now: on, jump 0\.45"):
        agree(second.pk, request=log_in(mace))
    assert PriceGuard.objects.count() == 2


def test_nothing_is_done_if_terms_were_made_since_that_need_a_larger_jump(ahsoka, mace):
    approval = asked(ahsoka)
    make_terms(activation="0.4", liquidation="0.8")
    with pytest.raises(NotExecuted, match=r"The jump must be above 0\.5"):
        agree(approval.pk, request=log_in(mace))
    assert PriceGuard.objects.count() == 1


def test_it_holds_after_the_last_one_although_the_clock_was_set_back(moving_clock, ahsoka, mace):
    moving_clock.now = at(1000)
    agree(asked(ahsoka).pk, request=log_in(mace))
    moving_clock.now = at(400)
    agree(asked(ahsoka, mode="watch").pk, request=log_in(mace))
    assert [row.holds_from for row in PriceGuard.objects.all()[:2]] == [at(1000), at(1000)]
    assert in_force(reading.guards(), at(1000)).mode is Mode.WATCH


def test_it_holds_from_the_instant_of_the_agreement_on(ahsoka, mace):
    approval = asked(ahsoka, mode="watch")
    with pytest.raises(SamePerson):
        agree(approval.pk, request=log_in(ahsoka))
    before = clock.now()
    agree(approval.pk, request=log_in(mace))
    row = PriceGuard.objects.get(mode=Mode.WATCH)
    assert before < row.holds_from <= clock.now()
    assert row.changed_by == "ahsoka and mace"
    guards = reading.guards()
    assert in_force(guards, before).on
    assert not in_force(guards, clock.now()).on


@pytest.mark.parametrize(
    ("changed", "refused"),
    [
        ({"jump": "0.375"}, GuardDoesNotFit), ({"agreement": "0.45"}, GuardDoesNotFit),
        ({"jump": "1"}, GuardDoesNotFit), ({"dispute": "1"}, GuardDoesNotFit), ({"dispute": "25"}, GuardDoesNotFit),
        ({"dispute": "0.00001"}, GuardDoesNotFit), ({"mode": "maybe"}, ArgumentsDoNotFit),
    ],
)  # fmt: skip
def test_settings_that_do_not_fit_are_not_asked_for(ahsoka, changed, refused):
    with pytest.raises(refused):
        asked(ahsoka, **changed)


def test_a_guard_that_is_off_may_have_any_jump(ahsoka):
    assert "one false quote is believed at once" in asked(ahsoka, mode="off", jump="0.2").effect
