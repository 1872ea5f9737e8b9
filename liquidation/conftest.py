"""Prices, breached loans and markets whose answers a test chooses."""

import itertools
import json
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
import responses

from coruscant import clock, history
from coruscant.approvals.ask import ask
from coruscant.approvals.decide import agree
from coruscant.approvals.tests.support import log_in, representative
from liquidation.claim import claim_loans
from liquidation.models import Liquidation
from loans.models import AcceptedRequest, CollateralPosting, LoanStatus
from loans.tests.factories import LONG_AGO, LoanFactory
from pricing import best_price
from pricing.markets import Market
from pricing.models import Feed, PriceQuote
from pricing.quotes import PricePoint

_numbers = itertools.count(1)


@pytest.fixture
def quote(db, clean_cache):
    """Record a quote: `quote("30")` at Mos Espa now; flat by depth unless four prices are given."""

    def record(*prices, market=Market.MOS_ESPA, ago=0.0, market_time=None, evaluated=False) -> PriceQuote:
        number = next(_numbers)
        now = clock.now()
        at = now - timedelta(seconds=ago)
        four = prices * 4 if len(prices) == 1 else prices
        levels = [[str(quantity), str(price)] for quantity, price in zip((1, 10, 50, 100), four, strict=True)]
        Feed.objects.update_or_create(market=market, defaults={"drained_to": now})
        made = PriceQuote.objects.create(
            market=market,
            message_id=f"message-{number}",
            event_id=f"event-{number}" if market == Market.MOS_ESPA else None,
            market_time=Decimal(number) if market_time is None else market_time,
            sent_at=at,
            received_at=at,
            sell=levels,
            buy=[],
            evaluated_at=at if evaluated else None,
        )
        Feed.objects.filter(market=market).update(
            received=PriceQuote.objects.filter(market=market).count(),
            quotes=PriceQuote.objects.filter(market=market).count(),
        )
        best_price.refresh()
        return made

    return record


@pytest.fixture
def loan(db):
    """An active loan as the API would have made it: `loan(amount="1000", collateral="40")`."""

    def make(*, amount="1000", collateral="40", prices_apply_from=LONG_AGO, terms_id=1):
        made = LoanFactory(amount=Decimal(amount), collateral=Decimal(collateral), terms_id=terms_id)
        made.status, made.activated_at, made.prices_apply_from = LoanStatus.ACTIVE, LONG_AGO, prices_apply_from
        with history.cause("posting", correlation_id="test"):
            made.save()
            CollateralPosting.objects.create(
                loan=made, amount=made.collateral, request_id=f"posting-{made.pk}", created_at=made.created_at
            )
        for endpoint in AcceptedRequest.Endpoint:
            AcceptedRequest.objects.create(
                endpoint=endpoint,
                request_id=f"r-{made.pk}",
                content_digest="",
                response_body="",
                loan=made,
                created_at=made.created_at,
            )
        return made

    return make


def point_now() -> PricePoint:
    point = best_price.refresh()
    assert point.price is not None
    return point


@pytest.fixture
def claimed(loan, quote):
    """A liquidation just claimed at 25 GC a unit: 1000 GC against 40 units by default."""

    def make(price="25", **columns) -> Liquidation:
        quote(price)
        (pk,) = claim_loans([loan(**columns).pk], point_now())
        return Liquidation.objects.get(pk=pk)

    return make


class Markets:
    """Both markets behind `responses`: each call takes the next answer of `then`, else trades at the market's price."""

    def __init__(self, mocked: responses.RequestsMock) -> None:
        self.price = {Market.MOS_ESPA: Decimal(25), Market.BLACK_SPIRE_OUTPOST: Decimal(25)}
        self.sent: list[tuple[Market, dict[str, object]]] = []
        self.traded: dict[str, tuple[Decimal, Decimal]] = {}
        self._next: list[object] = []
        mocked.add_callback("POST", "http://mos-espa.test/orders", lambda r: self._answer(Market.MOS_ESPA, r))
        mocked.add_callback(
            "POST",
            "http://black-spire-outpost.test/market/orders",
            lambda r: self._answer(Market.BLACK_SPIRE_OUTPOST, r),
        )

    def then(self, *answers: object) -> None:
        """Give the next answers: "trade", "refuse", "half", a status, an exception, a text, or a callable(order)."""
        self._next.extend(answers)

    def trade(
        self, market: Market, order: dict[str, object], share: Decimal = Decimal(1)
    ) -> tuple[int, dict[str, str], str]:
        """Trade an order, once: a resend gets the same figures."""
        quantity = Decimal(str(order["quantity" if market is Market.MOS_ESPA else "amount"]))
        request_id = str(order["requestId"])
        units, total = self.traded.setdefault(request_id, (quantity * share, quantity * share * self.price[market]))
        if market is Market.MOS_ESPA:
            body = order | {
                "orderId": f"ME-{request_id}",
                "success": True,
                "quantity": f"{units:f}",
                "price": f"{total:f}",
            }
            return 200, {}, json.dumps(body)
        text = json.dumps({"requestId": request_id, "id": f"BS-{request_id}", "side": "SELL", "item": order["item"]})
        return 200, {}, f'{text[:-1]}, "amount": {units:f}, "totalPrice": {total:f}}}'

    def refusal(self, market: Market) -> tuple[int, dict[str, str], str]:
        """Refuse in plain words."""
        words = {"success": False, "reason": "no buyers"} if market is Market.MOS_ESPA else {"error": "no buyers"}
        return 200, {}, json.dumps(words)

    def _answer(self, market, request):
        order = json.loads(request.body, parse_float=Decimal, parse_int=Decimal)
        self.sent.append((market, order))
        next_answer = self._next.pop(0) if self._next else "trade"
        if callable(next_answer) and not isinstance(next_answer, type):
            return next_answer(market, order)
        match next_answer:
            case "trade":
                return self.trade(market, order)
            case "half":
                return self.trade(market, order, Decimal("0.5"))
            case "trade, then lose the answer":
                self.trade(market, order)
                raise ConnectionResetError("the answer was lost")
            case "refuse":
                return self.refusal(market)
            case int():
                return next_answer, {}, "{}"
            case str():
                return 200, {}, next_answer
            case BaseException():
                raise next_answer
        raise AssertionError(f"what is {next_answer!r}?")


@pytest.fixture
def markets():
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield Markets(mocked)


@pytest.fixture
def enqueued(monkeypatch):
    """What was enqueued, instead of sending it: a list of (task names, arguments)."""
    sent = []

    def record(task, *, expires=None):
        tasks = getattr(task, "tasks", None) or [task]
        sent.append((tuple(str(each.task) for each in tasks), dict(tasks[0].kwargs)))
        return True

    monkeypatch.setattr("coruscant.enqueue.now", record)
    monkeypatch.setattr("coruscant.enqueue.waiting", lambda _queue: 0)
    return sent


@pytest.fixture
def time_passes(db):
    """Move the database's clock: `time_passes(seconds=30)`. Stands still in between."""
    moment: list[datetime] = [clock.now()]

    def advance(**delta):
        moment[0] += timedelta(**delta)
        return moment[0]

    with clock.driven_by(lambda: moment[0]):
        yield advance


@pytest.fixture
def two_agree(db):
    """Let one person ask for an action, and another agree to it: `two_agree("liquidation.adopt", difference_id=7)`."""
    people = {}

    def act(name, **arguments):
        for who in ("leia", "han"):
            if who not in people:
                people[who] = representative(who)
        approval = ask(name, arguments, why="The market says so.", asked_by=people["leia"])
        return agree(approval.pk, request=log_in(people["han"]))

    return act
