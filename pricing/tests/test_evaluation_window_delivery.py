"""The same messages give the same low and the same last price, in whatever order, batches and copies they come.

The results are compared with the simulation's oracle, which shares no code with the service: it reads the list of what
was sent.
"""

from decimal import Context, Decimal

from django.core.cache import cache
from hypothesis import given, note
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from coruscant import clock
from coruscant.tests.exactness import proof
from pricing import best_price, evaluation_window
from pricing.ingest.tests.support import record_messages
from pricing.markets import Market
from pricing.models import PriceQuote
from pricing.tests.builders import BLACK_SPIRE, MOS_ESPA, T0, at, message
from proofs.simulation import oracle
from proofs.simulation.oracle import Heard

WIDE = Context(prec=60)

#: Mos Espa prints 24 decimals at most, Black Spire Outpost numbers; both as the queue brings them.
prices = st.integers(1, 9).map(Decimal) | st.integers(1, 10**44 - 1).map(lambda n: Decimal(n).scaleb(-24, WIDE))


@st.composite
def sent(draw):
    """What one market sends: (event, seconds, price, own time), the same event perhaps again some seconds later."""
    events = []
    for number in range(draw(st.integers(1, 8))):
        market = draw(st.sampled_from([MOS_ESPA, BLACK_SPIRE]))
        second = draw(st.integers(0, 150))
        own_time = draw(st.sampled_from([second, second, second, 0, 10**9]))
        copies = [second]
        if market is MOS_ESPA:
            copies += [second + later for later in draw(st.lists(st.integers(0, 20), max_size=2))]
        events.append((market, f"event-{number}", draw(prices), own_time, copies))
    return events


@st.composite
def delivered(draw):
    """The messages with the second each is received at, perhaps twice, none so late that it came too late."""
    deliveries, heard = [], []
    for market, event_id, price, own_time, copies in draw(sent()):
        body = _body(market, event_id, price, own_time)
        for number, second in enumerate(copies):
            message_id = f"{event_id}-{number}"
            for received in draw(st.lists(st.integers(second, copies[0] + 59), min_size=1, max_size=2)):
                deliveries.append((received, market, message(body, at(second), message_id)))
        reference = event_id if market is MOS_ESPA else f"{event_id}-0"
        heard.append(Heard(market, price, at(copies[0]), Decimal(own_time), reference, too_late=False))
    shuffled = draw(st.permutations(deliveries))
    return sorted(shuffled, key=lambda one: one[0]), heard


def _body(market: Market, event_id: str, price: Decimal, own_time: int) -> str:
    if market is MOS_ESPA:
        stamp = (T0.replace(year=2000) if own_time == 0 else at(own_time % 10**6)).isoformat()
        stamp = "9999-01-01T00:00:00+00:00" if own_time == 10**9 else stamp
        levels = f'[{{"quantity": 1, "buy": "{price:f}", "sell": "{price:f}"}}]'
        return (
            f'{{"eventId": "{event_id}", "asset": "BESKAR", "currency": "GC", "timestamp": "{stamp}",'
            f' "levels": {levels}}}'
        )
    levels = f'[{{"amount": 1, "price": {price:f}}}]'
    return f'{{"item": "STEEL:MANDALORIAN", "time": {own_time}, "buy": {levels}, "sell": {levels}}}'


class TheTimeline(TestCase):
    """Through the real ingestion and the real window of an evaluation; each example in a transaction of its own."""

    def setup_example(self):
        super().setup_example()
        cache.clear()

    def batches(self, data, deliveries):
        """What is received at one second from one market, in one receive or in several."""
        rest = list(deliveries)
        while rest:
            second, market, _ = rest[0]
            due = [one for one in rest if one[:2] == (second, market)]
            taken = due[: data.draw(st.integers(1, len(due)))]
            rest = [one for one in rest if not any(one is other for other in taken)]
            yield second, market, [one[2] for one in taken]

    def record(self, market, messages, second):
        with clock.driven_by(lambda: at(second)):
            record_messages(*messages, market=market, now=at(second))

    @proof(25)
    @given(delivered(), st.integers(0, 60), st.data())
    def test_has_one_low_and_one_last_price_whatever_the_delivery(self, scene, later, data):
        deliveries, heard = scene
        for second, market, messages in self.batches(data, deliveries):
            self.record(market, messages, second)
        end = max(second for second, *_ in deliveries) + later + 0.5
        for market in Market:
            self.record(market, [], end)
        window = evaluation_window.open_window(at(end))
        spans = oracle.spans(heard, {market: at(end) for market in Market}, at(end))
        lows = [low.price for low in window.lows]
        assert lows[:1] == sorted(span.price for span in spans if span.applies)[:1]
        last = spans[-1]
        assert (window.last.price, window.last.cautious.price) == (last.price, last.cautious)
        assert window.last.may_claim == last.applies
        with clock.driven_by(lambda: at(end)):
            point = best_price.refresh()
        assert (point.price, point.cautious.price, point.may_claim) == (last.price, last.cautious, last.applies)
        assert PriceQuote.objects.count() == len(heard)

    @proof(25)
    @given(delivered(), st.data())
    def test_loses_no_dip_to_an_evaluation_in_between(self, scene, data):
        deliveries, heard = scene
        found, evaluations, last_arrival = [], [], 0

        def evaluate(second):
            window = evaluation_window.open_window(at(second))
            found.extend(low.price for low in window.lows)
            evaluation_window.mark_evaluated(window)
            evaluations.append((second, [str(low) for low in found]))
            return window.last.price

        for second, market, messages in self.batches(data, deliveries):
            self.record(market, messages, second)
            if evaluation_window.anything_unevaluated(at(second)):
                last_arrival = second
            if data.draw(st.booleans()):
                evaluate(second)
        end = deliveries[-1][0] + 0.5
        for market in Market:
            self.record(market, [], end)
        last = evaluate(end)
        drained_to = {market: at(end) for market in Market}
        # Up to the last new quote: a dip after it is found by a later evaluation only if it lasts until then.
        spans = oracle.spans(heard, drained_to, at(last_arrival + 0.001))
        note(f"evaluations at {evaluations}")
        note("\n".join(f"{second} {market} {one['MessageId']}" for second, market, one in deliveries))
        note("\n".join(f"{one.market} {(one.sent_at - T0).seconds} {one.price} own {one.own_time}" for one in heard))
        applied = [span.price for span in spans if span.applies]
        assert not applied or min(found) <= min(applied)
        assert last == oracle.spans(heard, drained_to, at(end))[-1].price
