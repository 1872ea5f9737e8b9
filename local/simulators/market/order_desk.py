"""The order endpoint: read the order strictly, decide on a fault, trade, and keep a journal."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass
from datetime import UTC, datetime

from aiohttp import web

from local.simulators.exact import write_json
from local.simulators.lifecycle import json_answer
from local.simulators.market.exchange import ConflictError, Exchange, NothingToTradeError
from local.simulators.market.faults import Fault, FaultPlan, Kind, Mismatch
from local.simulators.market.mismatches import mismatched_receipt
from local.simulators.market.wire import BadOrderError, Order, Trade

_JOURNAL_LENGTH = 100_000
_DRIPS = 20
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
_TRADING_KINDS = frozenset(
    {
        Kind.ERROR_500_AFTER_TRADING,
        Kind.SLOW,
        Kind.SLOW_BEFORE_TRADING,
        Kind.DRIPPING,
        Kind.DROPPED_AFTER_TRADING,
        Kind.BROKEN_JSON_AFTER_TRADING,
        Kind.MISMATCH,
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

    async def take_order(self, request: web.Request) -> web.StreamResponse:
        """Answer one order request, correctly or with a fault."""
        if self.down:
            self._record(None, "down")
            return _drop(request)
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
            fault = self.faults.decide(self.arrivals[order.request_id])
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
            reason = "nobody buys at present"
        return json_answer(self._wire.refusal(reason, order.request_id))

    async def _fail(self, request: web.Request, order: Order, fault: Fault) -> web.StreamResponse:
        kind = fault.kind
        if kind is Kind.SLOW_BEFORE_TRADING:
            await asyncio.sleep(fault.seconds or 0.0)
        if kind not in _TRADING_KINDS:
            self._record(order.request_id, kind)
            return self._fail_untraded(request, order, kind)
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
            case Kind.MISMATCH:
                mismatch = fault.mismatch or Mismatch.MORE_THAN_ORDERED
                return json_answer(mismatched_receipt(self._wire, trade, mismatch))
        return json_answer(receipt)

    def _fail_untraded(self, request: web.Request, order: Order, kind: Kind) -> web.StreamResponse:
        if kind in _ERRORS:
            return _error(kind)
        if kind is Kind.DROPPED_BEFORE_TRADING:
            return _drop(request)
        if kind is Kind.BROKEN_JSON:
            return _half(write_json(self._wire.refusal("the market is confused", order.request_id)))
        if order.request_id in self.exchange.trades:
            self.counters["refusal_of_a_traded_order"] += 1
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
