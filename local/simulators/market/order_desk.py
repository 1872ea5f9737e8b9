"""The order endpoint: read the order strictly, decide on a fault, trade, and keep a journal."""

import asyncio
from collections import Counter, deque
from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from local.simulators.exact import write_json
from local.simulators.lifecycle import json_answer
from local.simulators.market.exchange import ConflictError, Exchange, NothingToTradeError
from local.simulators.market.fault_plan import FaultPlan
from local.simulators.market.faults import LYING_KINDS, REFUSALS, Fault, Kind
from local.simulators.market.lies import Answer, answer_traded, answer_untraded
from local.simulators.market.wire import BadOrderError, Order, Trade

_JOURNAL_LENGTH = 100_000
_DRIPS = 20
_MOST_HEADER_BYTES = 8192
_MOST_FALSE_REFUSALS = 2
_REFUSALS = {
    Kind.REFUSAL: "the makers have withdrawn their offers",
    Kind.REFUSAL_4XX: "the market does not take this order now",
}
_ERRORS = {
    Kind.ERROR_429: (429, "too many requests\n"),
    Kind.ERROR_500: (500, "internal server error\n"),
    Kind.ERROR_500_AFTER_TRADING: (500, "internal server error\n"),
    Kind.ERROR_503: (503, "<html><body>service unavailable</body></html>\n"),
}
_UNTRADED_LIES = frozenset({Kind.REFUSAL_DOUBTFUL, Kind.REFUSAL_REMEMBERED, Kind.TRADED_NOTHING})
_TRADING_KINDS = frozenset(
    {
        Kind.ERROR_500_AFTER_TRADING,
        Kind.SLOW,
        Kind.SLOW_BEFORE_TRADING,
        Kind.DRIPPING,
        Kind.DROPPED_AFTER_TRADING,
        Kind.BROKEN_JSON_AFTER_TRADING,
        Kind.MISMATCH,
        *(kind for kind in LYING_KINDS if kind not in _UNTRADED_LIES),
    }
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One order request that arrived, and its outcome; `traded` is whether its requestId had been traded by then."""

    request_id: str | None
    outcome: str
    traded: bool
    at: datetime


class OrderDesk:
    """Takes orders over HTTP."""

    def __init__(self, exchange: Exchange, faults: FaultPlan, latency_seconds: float = 0.0) -> None:
        """Serve an exchange; every request first waits `latency_seconds`."""
        self.exchange = exchange
        self.faults = faults
        self.latency_seconds = latency_seconds
        self.down = False
        self.counters: Counter[str] = Counter()
        self.arrivals: Counter[str] = Counter()
        self.journal: deque[Delivery] = deque(maxlen=_JOURNAL_LENGTH)
        self._wire = exchange.wire
        #: By requestId: the refusal that is said again for ever, and how many answers were refusals.
        self._remembered: dict[str, Fault] = {}
        self._refused: Counter[str] = Counter()

    def forget_refusals(self) -> None:
        """Look again at orders whose refusal was remembered, as when somebody has called the market."""
        self._remembered.clear()

    async def take_order(self, request: web.Request) -> web.StreamResponse:
        """Answer one order request, correctly or with a fault."""
        if self.down:
            self._record(None, "down")
            return _drop(request)
        if sum(len(name) + len(value) for name, value in request.raw_headers) > _MOST_HEADER_BYTES:
            self._record(None, "headers_too_large")
            return web.Response(status=431, text="request header fields too large\n")
        raw = await request.read()
        if self.latency_seconds:
            await asyncio.sleep(self.latency_seconds)
        if request.content_type != "application/json":
            return self._refuse_malformed("the request must be application/json", None)
        try:
            order = self._wire.read_order(raw)
        except BadOrderError as error:
            return self._refuse_malformed(str(error), error.request_id)
        return await self._take(request, order)

    def _refuse_malformed(self, reason: str, request_id: str | None) -> web.Response:
        self._record(request_id, "malformed")
        return json_answer(self._wire.refusal(reason, request_id), status=400)

    async def _take(self, request: web.Request, order: Order) -> web.StreamResponse:
        self.arrivals[order.request_id] += 1
        try:
            known = self.exchange.find(order)
            fault = self._decide(order, traded=known is not None)
            if fault is None:
                trade = self.exchange.execute(order)
                self._record(order.request_id, _correct_outcome(trade, replayed=known is not None))
                return json_answer(self._wire.receipt(trade))
            return await self._fail(request, order, fault)
        except ConflictError:
            self._record(order.request_id, "conflict")
            reason = "conflict: this requestId was used for an order of other content"
        except NothingToTradeError:
            self._record(order.request_id, "nothing_to_trade")
            self._refused[order.request_id] += 1
            reason = "nobody buys at present"
        return json_answer(self._wire.refusal(reason, order.request_id))

    def _decide(self, order: Order, *, traded: bool) -> Fault | None:
        """Decide on a fault; some do not happen to an order that has been traded."""
        if not traded and order.request_id in self._remembered:
            return self._remembered[order.request_id]
        fault = self.faults.decide(self.arrivals[order.request_id], never=self._not_drawn(order, traded=traded))
        if fault is None or (traded and fault.kind in {Kind.REFUSAL_REMEMBERED, Kind.TRADED_NOTHING}):
            return None
        return fault

    def _not_drawn(self, order: Order, *, traded: bool) -> Collection[Kind]:
        """The kinds that are not drawn now: no market hides a trade behind three refusals and nothing else.

        Nobody could see through that but in the market's statement.
        """
        earlier = self.arrivals[order.request_id] - 1
        if earlier < _MOST_FALSE_REFUSALS or self._refused[order.request_id] < earlier:
            return ()
        return REFUSALS if traded else REFUSALS & _TRADING_KINDS

    async def _fail(self, request: web.Request, order: Order, fault: Fault) -> web.StreamResponse:
        kind = fault.kind
        if kind in REFUSALS:
            self._refused[order.request_id] += 1
        if kind is Kind.SLOW_BEFORE_TRADING:
            await asyncio.sleep(fault.seconds or 0.0)
        if kind not in _TRADING_KINDS:
            self._record(order.request_id, kind)
            return self._fail_untraded(request, order, fault)
        trade = self.exchange.execute(order)
        self._record(order.request_id, kind)
        return await self._fail_traded(request, trade, fault)

    async def _fail_traded(self, request: web.Request, trade: Trade, fault: Fault) -> web.StreamResponse:
        kind, seconds = fault.kind, fault.seconds or 0.0
        receipt = self._wire.receipt(trade)
        match kind:
            case Kind.SLOW:
                await asyncio.sleep(seconds)
            case Kind.DRIPPING:
                return await _drip(request, write_json(receipt), seconds)
            case Kind.DROPPED_AFTER_TRADING:
                return _drop(request)
            case Kind.BROKEN_JSON_AFTER_TRADING:
                return _half(write_json(receipt))
            case Kind.ERROR_500_AFTER_TRADING:
                return _error(kind)
        return _http(answer_traded(self._wire, trade, fault))

    def _fail_untraded(self, request: web.Request, order: Order, fault: Fault) -> web.StreamResponse:
        kind = fault.kind
        if kind in _ERRORS:
            return _error(kind)
        if kind is Kind.DROPPED_BEFORE_TRADING:
            return _drop(request)
        if kind is Kind.BROKEN_JSON:
            return _half(write_json(self._wire.refusal("the market is confused", order.request_id)))
        if order.request_id in self.exchange.trades:
            self.counters["refusal_of_a_traded_order"] += 1
        if kind is Kind.REFUSAL_REMEMBERED:
            self._remembered[order.request_id] = fault
        if kind in _UNTRADED_LIES:
            return _http(answer_untraded(self._wire, order, fault))
        refusal = self._wire.refusal(_REFUSALS[kind], order.request_id)
        return json_answer(refusal, status=422 if kind is Kind.REFUSAL_4XX else 200)

    def _record(self, request_id: str | None, outcome: str) -> None:
        self.counters[str(outcome)] += 1
        traded = request_id in self.exchange.trades
        self.journal.append(Delivery(request_id, str(outcome), traded, datetime.now(UTC)))


def _correct_outcome(trade: Trade, *, replayed: bool) -> str:
    if replayed:
        return "replayed"
    return "filled" if trade.units == trade.ordered else "partially_filled"


def _http(answer: Answer) -> web.Response:
    response = json_answer(answer.body, answer.status)
    for name, value in answer.headers:
        response.headers.add(name, value)
    return response


def _drop(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()


def _half(text: str) -> web.Response:
    return web.Response(text=text[: len(text) // 2], content_type="application/json")


def _error(kind: Kind) -> web.Response:
    status, text = _ERRORS[kind]
    return web.Response(status=status, text=text)


async def _drip(request: web.Request, text: str, seconds: float) -> web.StreamResponse:
    raw = text.encode()
    response = web.StreamResponse()
    response.content_type = "application/json"
    response.content_length = len(raw)
    await response.prepare(request)
    size = max(1, -(-len(raw) // _DRIPS))
    for start in range(0, len(raw), size):
        await asyncio.sleep(seconds / _DRIPS)
        await response.write(raw[start : start + size])
    await response.write_eof()
    return response
