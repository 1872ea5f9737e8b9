"""Whatever is done in whatever order, every unit posted is still held or was sold, and every coin is accounted for."""

import itertools
import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from django.test import TestCase
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from coruscant import clock
from coruscant.money import DECIMAL_PLACES, exact, round_down
from coruscant.tests.exactness import examples
from liquidation import evaluate, invariants, resolution, sell
from liquidation.models import Liquidation, OrderStatus, TradeOrder
from liquidation.resolution import FiguresDoNotFit
from liquidation.venues import http
from liquidation.verdicts import NeverSent, Unclear
from loans import applications, postings, selectors
from loans.models import Loan
from pricing.feeds import FEEDS
from pricing.ingest import poll
from pricing.ingest.record import record_batch
from pricing.markets import Market

pytestmark = [pytest.mark.django_db, pytest.mark.exactness, pytest.mark.usefixtures("clean_cache", "enqueued")]

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
TINY = Decimal("1e-24")
STEP = Decimal("1e-8")
BORROWER = "borrower"
BOOKKEEPING = {"I1", "I3", "I4", "I5", "I5b", "I5c", "I5d", "I6", "I7", "I10"}

#: From one last digit to twenty digits before the point, and what loans are usually like.
amounts = st.sampled_from(["1000", "40", "0.00000001", "25.000000000000000000000001"]).map(Decimal) | st.integers(
    1, 44
).flatmap(lambda digits: st.integers(1, 10**digits - 1).map(lambda n: Decimal(f"{n}e-24")))
markets = st.sampled_from(list(Market))
loans = st.integers(1, 3).map("loan-{}".format)
moods = st.sampled_from(["trade", "part", "lose", "refuse", "duplicate", "mismatch", "never sent", "too much money"])


class Books(RuleBasedStateMachine):
    """A bank of three loans, driven through the real services on PostgreSQL, and a ledger of what must be in it."""

    def __init__(self) -> None:
        super().__init__()
        self.atomics = TestCase._enter_atomics()  # type: ignore[attr-defined]
        self.now = BEGINNING
        self.numbers = itertools.count(1)
        self.posted: dict[str, Fraction] = {}
        self.lent: dict[str, Fraction] = {}
        #: What the markets have traded, by requestId: units and proceeds.
        self.traded: dict[str, tuple[Decimal, Decimal]] = {}
        self.mood = "trade"
        self.requests: list[dict[str, object]] = []
        self.driven = clock.driven_by(self.clock)
        self.driven.__enter__()
        self.patch = pytest.MonkeyPatch()
        self.patch.setattr(http, "post", self.answer)

    def teardown(self) -> None:
        broken = {
            finding.invariant.name: finding.examples
            for finding in invariants.check()
            if finding.violations and finding.invariant.name.split()[0] in BOOKKEEPING
        }
        self.patch.undo()
        self.driven.__exit__(None, None, None)
        TestCase._rollback_atomics(self.atomics)  # type: ignore[attr-defined]
        assert not broken

    def clock(self) -> datetime:
        self.now += timedelta(milliseconds=1)
        return self.now

    # --- the market ---

    def answer(self, url, body, *, timeout_seconds):
        order = json.loads(body, parse_float=Decimal, parse_int=Decimal)
        ours = "quantity" in order
        quantity = Decimal(order["quantity" if ours else "amount"])
        known = order["requestId"] in self.traded
        match self.mood:
            case "never sent":
                return NeverSent("refused")
            case "refuse" | "duplicate" if not known or self.mood == "duplicate":
                reason = "no buyers" if self.mood == "refuse" else "duplicate request"
                refusal = {"success": False, "reason": reason} if ours else {"error": reason}
                return http.Response(200, json.dumps(refusal).encode())
        units = quantity if self.mood != "part" else max(STEP, (quantity / 3).quantize(STEP))
        price = Decimal("9" * 19) if self.mood == "too much money" else Decimal("23.456789")
        with exact():
            fetched = max(TINY, round_down(units * price, DECIMAL_PLACES))
        units, proceeds = self.traded.setdefault(order["requestId"], (units, fetched))
        if self.mood == "lose":
            return Unclear("time-out", "no answer")
        if self.mood == "mismatch":
            units += quantity
        if ours:
            trade = {"orderId": "o", "success": True, "quantity": f"{units:f}", "price": f"{proceeds:f}"}
            return http.Response(200, json.dumps(order | trade).encode())
        fixed = json.dumps({key: order[key] for key in ("requestId", "side", "item")} | {"id": "o"})
        return http.Response(200, f'{fixed[:-1]}, "amount": {units:f}, "totalPrice": {proceeds:f}}}'.encode())

    # --- what may happen ---

    @rule(loan=loans, amount=amounts)
    def a_client_applies(self, loan, amount):
        try:
            applications.apply_for_loan(
                client="", request_id=f"request-{next(self.numbers)}", loan_id=loan, borrower_id=BORROWER, amount=amount
            )
        except applications.LoanIdTaken:
            assert loan in self.lent
            return
        assert loan not in self.lent
        self.lent[loan], self.posted[loan] = Fraction(amount), Fraction(0)

    @rule(loan=loans, amount=amounts)
    def collateral_is_posted(self, loan, amount):
        request = {
            "client": "", "request_id": f"request-{next(self.numbers)}", "loan_id": loan, "borrower_id": BORROWER,
            "amount": amount,
        }  # fmt: skip
        try:
            postings.post_collateral(**request)
        except selectors.LoanNotFound:
            assert loan not in self.lent
            return
        except (postings.LoanClosed, postings.CollateralTooLarge):
            return
        self.posted[loan] += Fraction(amount)
        self.requests.append(request)

    @precondition(lambda self: self.lent)
    @rule(data=st.data(), tenths=st.integers(4, 40))
    def collateral_is_posted_that_fits(self, data, tenths):
        """So much that the loan is near its thresholds at 25 GC a unit."""
        loan = data.draw(st.sampled_from(sorted(self.lent)))
        with exact():
            units = round_down(Loan.objects.get(loan_id=loan).amount * tenths / 250, DECIMAL_PLACES)
        if TINY <= units < Decimal(10) ** 20:
            self.collateral_is_posted(loan, units)

    @precondition(lambda self: self.requests)
    @rule(data=st.data())
    def a_posting_is_repeated(self, data):
        assert postings.post_collateral(**data.draw(st.sampled_from(self.requests))).replayed

    @rule(market=markets, price=st.sampled_from(["50", "25", "20", "12.5"]) | amounts.map("{:f}".format))
    def a_price_is_received_and_evaluated(self, market, price):
        number = next(self.numbers)
        now = self.clock()
        stamp = now.isoformat()
        if market is Market.MOS_ESPA:
            level = f'"buy": "{price}", "sell": "{price}"'
            levels = f'[{{"quantity": 1, {level}}}, {{"quantity": 100, {level}}}]'
            body = (
                f'{{"eventId": "e{number}", "asset": "BESKAR", "currency": "GC", "timestamp": "{stamp}",'
                f' "levels": {levels}}}'
            )
        else:
            levels = f'[{{"amount": 1, "price": {price}}}, {{"amount": 100, "price": {price}}}]'
            seconds = int((now - BEGINNING).total_seconds() * 1000)
            body = f'{{"item": "STEEL:MANDALORIAN", "time": {seconds}, "buy": [], "sell": {levels}}}'
        milliseconds = int(now.timestamp() * 1000)
        message = {"MessageId": f"m{number}", "Body": body, "Attributes": {"SentTimestamp": str(milliseconds)}}
        received = self.clock()
        record_batch(FEEDS[market], [message], received, received)
        poll.announce(quotes=True)
        assert evaluate.evaluate_loans()

    @precondition(lambda self: Liquidation.objects.exclude(status="settled").exists())
    @rule(data=st.data(), mood=moods)
    def a_sale_goes_on(self, data, mood):
        self.mood = mood
        open_ones = Liquidation.objects.exclude(status="settled").order_by("pk").values_list("pk", flat=True)
        sell.sell(data.draw(st.sampled_from(list(open_ones))))

    @precondition(lambda self: TradeOrder.objects.filter(status=OrderStatus.UNRESOLVED).exists())
    @rule()
    def a_person_answers(self):
        order = TradeOrder.objects.filter(status=OrderStatus.UNRESOLVED).earliest("pk")
        who = {"order_id": order.pk, "actor_name": "Boba", "actor_id": 1}
        if order.request_id in self.traded:
            units, proceeds = self.traded[order.request_id]
            try:
                resolution.resolve_as_traded(units=units, proceeds=proceeds, two_people=True, **who)
            except FiguresDoNotFit:
                assert Fraction(order.liquidation.proceeds) + Fraction(proceeds) >= 10**20
        else:
            resolution.resolve_as_not_traded(**who)

    @rule(seconds=st.sampled_from([1, 25, 70, 400]))
    def time_passes(self, seconds):
        self.now += timedelta(seconds=seconds)

    # --- what must be true at any moment ---

    @invariant()
    def every_unit_and_every_coin_is_accounted_for(self):
        orders = TradeOrder.objects.select_related("liquidation__loan").filter(status=OrderStatus.FILLED)
        sold, paid = dict.fromkeys(self.lent, Fraction(0)), dict.fromkeys(self.lent, Fraction(0))
        for order in orders:
            assert (order.units_traded, order.proceeds) == self.traded[order.request_id]
            sold[order.liquidation.loan.loan_id] += Fraction(order.units_traded)
            paid[order.liquidation.loan.loan_id] += Fraction(order.proceeds)
        found = {loan.loan_id: loan for loan in Loan.objects.all()}
        assert set(found) == set(self.lent)
        for loan_id, loan in found.items():
            assert self.posted[loan_id] == Fraction(loan.collateral) + sold[loan_id]
            assert Fraction(loan.outstanding_balance) == max(Fraction(0), self.lent[loan_id] - paid[loan_id])


def test_postings_are_what_is_held_and_what_was_sold_whatever_happens(db):
    run_state_machine_as_test(Books, settings=examples(12, stateful_step_count=30))
