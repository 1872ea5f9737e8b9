"""When everything that was under way has come on."""

from datetime import UTC, datetime, timedelta

from proofs.chaos.recovery import Aspect, Look, Recovery

END = datetime(2026, 11, 24, 12, tzinfo=UTC)


def look(seconds, *, selling=None, unsent=(), unevaluated=(), quotes=None):
    sent = {"mos_espa": quotes, "black_spire_outpost": quotes} if quotes is not None else {}
    return Look(
        now=END + timedelta(seconds=seconds),
        selling=selling or {},
        unsent=frozenset(unsent),
        unevaluated=frozenset(unevaluated),
        current_quotes={market: END + timedelta(seconds=at) for market, at in sent.items()},
    )


def test_what_was_not_under_way_has_recovered_at_once_but_prices_must_be_new():
    recovery = Recovery(100.0)
    recovery.see(100.5, look(0, quotes=-3), api=True, processes=True)
    assert recovery.missing == [Aspect.PRICES]
    recovery.see(101.5, look(1, quotes=0.5), api=True, processes=True)
    assert recovery.complete
    assert recovery.longest == 1.5


def test_a_sale_has_moved_when_an_order_changed_or_it_sells_no_more():
    recovery = Recovery(0.0)
    recovery.see(1, look(1, selling={1: "open 1", 2: "unknown 3"}), api=True, processes=True)
    recovery.see(2, look(2, selling={1: "open 1", 2: "unknown 4"}), api=True, processes=True)
    assert Aspect.SALES in recovery.missing
    recovery.see(3, look(3, selling={2: "unknown 4"}), api=True, processes=True)
    assert recovery.seconds[Aspect.SALES] == 3


def test_sales_events_and_quotes_that_came_later_are_not_waited_for():
    recovery = Recovery(0.0)
    recovery.see(1, look(1, selling={1: "a"}, unsent={1}, unevaluated={5}), api=True, processes=True)
    recovery.see(2, look(2, selling={2: "a"}, unsent={1, 2}, unevaluated={5, 6}), api=True, processes=True)
    assert recovery.seconds[Aspect.SALES] == 2
    assert {Aspect.EVENTS, Aspect.EVALUATIONS} <= set(recovery.missing)
    recovery.see(4, look(4, selling={2: "a"}, unsent={2}, unevaluated={6}, quotes=3), api=True, processes=True)
    assert (recovery.seconds[Aspect.EVENTS], recovery.seconds[Aspect.EVALUATIONS]) == (4, 4)
    assert recovery.complete


def test_one_market_without_a_live_quote_is_no_recovery():
    recovery = Recovery(0.0)
    one = Look(now=END, current_quotes={"mos_espa": END + timedelta(seconds=9)})
    recovery.see(1, one, api=True, processes=True)
    assert Aspect.PRICES in recovery.missing


def test_books_that_cannot_be_read_are_no_recovery_and_say_nothing_of_what_was_under_way():
    recovery = Recovery(0.0)
    recovery.see(1, None, api=False, processes=False)
    assert len(recovery.missing) == len(Aspect)
    recovery.see(2, look(2, unsent={9}, quotes=1), api=False, processes=True)
    recovery.see(3, look(3, quotes=2.5), api=True, processes=True)
    assert recovery.complete
    assert (recovery.seconds[Aspect.PROCESSES], recovery.seconds[Aspect.EVENTS]) == (2, 3)


def test_an_aspect_that_came_back_and_went_again_is_not_measured_anew():
    recovery = Recovery(0.0)
    recovery.see(1, None, api=True, processes=False)
    recovery.see(2, None, api=False, processes=True)
    assert recovery.seconds == {Aspect.API: 1, Aspect.PROCESSES: 2}
