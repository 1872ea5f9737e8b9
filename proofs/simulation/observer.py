"""What the model of the protocol is shown of a schedule: each commit of a sale, each trade, each answer as it was read.

Every one of them must be a step of the model (proofs/model/replay.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from liquidation.verdicts import CLEAN_REFUSALS, Answer, AnswerKind, NeverSent, Refused, Traded
from pricing.markets import Market
from proofs.model import replay, state
from proofs.model.replay import NotAStep, Observed, OrderRow, Replay, SaleRow
from proofs.simulation.world import World

if TYPE_CHECKING:
    import psycopg

    from proofs.simulation.markets import SimulatedMarket

#: The title of jobs in which people answer for orders, bring sales through a restore, or adopt trades.
OPERATOR = "an operator"
_MARKETS = {market.value: number for number, market in enumerate(Market)}
#: The model counts whole numbers: lots of the last decimal of a unit of Beskar.
_LOTS = 10**24
_SALES = {"selling": state.SELLING, "waiting": state.SELLING, "settled": state.SETTLED}
_ORDERS = {
    "open": state.PENDING,
    "unknown": state.PENDING,
    "unresolved": state.UNRESOLVED,
    "filled": state.FILLED,
    "refused": state.REFUSED,
}
#: FILL_BAND, by default.
_FAR = 3
_SIZED_AT = "SELECT quoted_unit_price FROM liquidation_tradeorder WHERE request_id = %s"
_ROWS = """
    SELECT loan.loan_id, sale.status, sale.collateral_at_claim, sale.collateral_sold, sale.held_by_id,
           "order".market, "order".request_id, "order".number, "order".quantity, "order".status, "order".sends,
           "order".units_traded,
           ARRAY(SELECT kind FROM liquidation_orderanswer WHERE order_id = "order".id AND NOT stale)
    FROM liquidation_liquidation AS sale JOIN loans_loan AS loan ON loan.id = sale.loan_id
    LEFT JOIN liquidation_tradeorder AS "order" ON "order".liquidation_id = sale.id
    ORDER BY sale.id, "order".sequence
"""


class Observer:
    """Looks on, and reports what is no step of the model."""

    def __init__(
        self,
        world: World,
        markets: "dict[Market, SimulatedMarket]",
        monitor: "psycopg.Connection[Any]",
        actors: int,
    ) -> None:
        """`monitor` reads what is committed; actors are numbered from 1."""
        self.world, self._markets, self._monitor = world, markets, monitor
        self._replay = Replay(actors)
        #: A sale goes by its loan: after a restore the number of a row may be another's.
        self._numbers: dict[str, int] = {}
        self._seen = dict.fromkeys(Market, 0)
        self._failed = False

    def committed(self, actor: int, job: str) -> None:
        """An actor has committed something of a sale, for the job of this title."""
        self._show(replay.Committed(actor - 1, self._rows(), by_operator=job == OPERATOR))

    def heard(self, actor: int, market: Market, request_id: str, answer: Answer) -> None:
        """An actor has read an answer to an order."""
        lots = lots_of(answer.units) if isinstance(answer, Traded) and answer.units else 0
        said = self._said(market, request_id, answer)
        far = said == state.SUCCESS and self._is_far(request_id, answer)
        self._show(replay.Heard(actor - 1, request_id, said, lots, far))

    def restored(self) -> None:
        """The database is as it was after an earlier commit."""
        self._show(replay.Restored(self._rows()))

    def _show(self, seen: Observed) -> None:
        if self._failed:
            return
        try:
            self._replay.play([*self._trades(), seen])
        except NotAStep as error:
            self._failed = True
            self.world.report("a run of the model", str(error))

    def _trades(self) -> Iterator[Observed]:
        """What the markets have traded since it was last looked."""
        for market, simulated in self._markets.items():
            new = list(simulated.trades.items())[self._seen[market] :]
            self._seen[market] += len(new)
            for request_id, trade in new:
                yield replay.Traded(request_id, lots_of(trade.units))

    def _said(self, market: Market, request_id: str, answer: Answer) -> str:
        match answer:
            case Traded(of_nothing=True) | Refused(is_clean=True):
                return state.REFUSAL
            case Traded():
                trade = self._markets[market].trades.get(request_id)
                if trade is None or not answer.echo_fits:
                    return state.MISMATCH
                true = (answer.units, answer.proceeds) == (trade.units, trade.proceeds)
                return state.SUCCESS if true and not trade.far_off else state.MISMATCH
            case Refused(calls_it_a_duplicate=True):
                return state.DUPLICATE
            case NeverSent():
                return state.NEVER_SENT
            case _:
                return state.UNCLEAR

    def _is_far(self, request_id: str, answer: Answer) -> bool:
        """Whether a price three times or a third of the one at which the order was sized was paid.

        So it is where an order was sized by a false price. Whether a later price explains it depends on when that came.
        """
        row = self._monitor.execute(_SIZED_AT, [request_id], prepare=True).fetchone()
        if row is None or not isinstance(answer, Traded) or not answer.units or not answer.proceeds:
            return False
        expected = answer.units * row[0]
        return not expected / _FAR <= answer.proceeds <= expected * _FAR

    def _rows(self) -> dict[int, SaleRow]:
        """Every sale as it is committed."""
        sales: dict[int, SaleRow] = {}
        orders: dict[int, list[OrderRow]] = {}
        for loan, status, collateral, sold, held_by, *order in self._monitor.execute(_ROWS, prepare=True).fetchall():
            number = self._numbers.setdefault(loan, len(self._numbers) + 1)
            sales[number] = SaleRow(_SALES[status], lots_of(collateral), lots_of(sold), held=held_by is not None)
            found = orders.setdefault(number, [])
            if order[0] is not None:
                found.append(_order(*order))
        return {number: replace(sale, orders=tuple(orders[number])) for number, sale in sales.items()}


def lots_of(units: Decimal) -> int:
    """Units of Beskar, exactly, as the model counts them."""
    numerator, denominator = units.as_integer_ratio()
    return numerator * _LOTS // denominator


def _order(
    market: str,
    request_id: str,
    number: int,
    units: Decimal,
    status: str,
    sends: int,
    traded: Decimal | None,
    kinds: list[str],
) -> OrderRow:
    return OrderRow(
        request_id=request_id,
        market=_MARKETS[market],
        number=number,
        lots=lots_of(units),
        status=_ORDERS[status],
        sends=sends,
        never_sent=kinds.count(AnswerKind.NEVER_SENT),
        refused=sum(kind in CLEAN_REFUSALS for kind in kinds),
        traded=lots_of(traded or Decimal(0)),
    )
