"""How long things took in the last five minutes, and how many there were, from the rows that say so.

Each statement reads the newest rows by an index, NEWEST at most, so a scrape in the middle of a crash costs no more.
What belongs to them is looked up row by row (`OFFSET 0`): the planner would rather read the whole table.
"""

from collections.abc import Iterator
from typing import Any

from django.db import connection

from liquidation.monitoring.figures import Figures
from liquidation.verdicts import AnswerKind

WINDOW = "5 minutes"
NEWEST = 2000
QUANTILES = (0.5, 0.95, 1.0)
#: How every meaning ends: a count of so many may be of more.
_LATELY = f"in the last five minutes, of the newest {NEWEST}"

_SHARES = ", ".join(str(share) for share in QUANTILES)


def _quantiles(seconds: str) -> str:
    return f"percentile_cont(ARRAY[{_SHARES}]) WITHIN GROUP (ORDER BY extract(epoch FROM {seconds}))"


_CLAIMED = f"""
    SELECT count(*), {_quantiles("claimed_at - price_at")}
    FROM (SELECT claimed_at, price_at FROM liquidation_liquidation ORDER BY id DESC LIMIT {NEWEST}) newest
    WHERE claimed_at > now() - interval '{WINDOW}'
"""  # noqa: S608
_SETTLED = f"""
    SELECT count(*), {_quantiles("q.settled_at - q.claimed_at")}
    FROM (SELECT liquidation_id, created_at FROM liquidation_liquidationevent ORDER BY id DESC LIMIT {NEWEST}) newest
    CROSS JOIN LATERAL (SELECT * FROM liquidation_liquidation WHERE id = newest.liquidation_id OFFSET 0) q
    WHERE newest.created_at > now() - interval '{WINDOW}'
"""  # noqa: S608
_EVALUATED = f"""
    SELECT {_quantiles("evaluated_at - received_at")}
    FROM (SELECT received_at, evaluated_at FROM pricing_pricequote WHERE NOT too_late ORDER BY id DESC LIMIT {NEWEST}
    ) newest WHERE evaluated_at > now() - interval '{WINDOW}'
"""  # noqa: S608
# A verdict is booked with the answer that decides it. How long a later send took is not known: its beginning is not.
_ANSWERED = f"""
    SELECT o.market, CASE WHEN a.kind = ANY(%s) THEN a.kind ELSE 'unclear' END AS kind, count(*),
           count(*) FILTER (WHERE o.status = 'filled' AND decides),
           count(*) FILTER (WHERE o.status = 'refused' AND decides),
           1 - sum(o.proceeds) FILTER (WHERE decides)
             / nullif(sum(o.units_traded * o.quoted_unit_price) FILTER (WHERE decides), 0),
           {_quantiles("a.received_at - o.created_at")} FILTER (WHERE a.send = 1)
    FROM (SELECT * FROM liquidation_orderanswer ORDER BY id DESC LIMIT {NEWEST}) a
    CROSS JOIN LATERAL (SELECT * FROM liquidation_tradeorder WHERE id = a.order_id OFFSET 0) o
    CROSS JOIN LATERAL (SELECT coalesce(a.received_at = o.answered_at, false) AS decides) booked
    WHERE a.received_at > now() - interval '{WINDOW}' AND NOT a.stale
    GROUP BY GROUPING SETS ((1, 2), (1))
"""  # noqa: S608


def figures() -> Iterator[Figures]:
    """Of claims, evaluations, settlements and orders."""
    ((claims, tick_to_claim),) = _rows(_CLAIMED)
    ((settled, to_settle),) = _rows(_SETTLED)
    ((evaluation,),) = _rows(_EVALUATED)
    yield Figures("coruscant_recent_claims", f"Loans claimed {_LATELY}", (), [(claims,)])
    yield _durations("tick_to_claim", "From the instant of a price to the claim by it", tick_to_claim)
    yield _durations("evaluation", "From receiving a quote until all loans were evaluated by it", evaluation)
    yield Figures("coruscant_recent_settlements", f"Liquidations settled {_LATELY}", (), [(settled,)])
    yield _durations("time_to_settle", "From a claim to its settlement", to_settle)
    yield from _orders()


def _orders() -> Iterator[Figures]:
    answers, verdicts, slippage, latency = (list[tuple[Any, ...]]() for _ in range(4))
    for market, kind, count, filled, refused, slipped, seconds in _rows(_ANSWERED, [list(AnswerKind)]):
        if kind is not None:
            answers.append((market, kind, count))
            continue
        verdicts += [(market, "filled", filled), (market, "refused", refused)]
        slippage += [] if slipped is None else [(market, slipped)]
        latency += [(market, share, each) for share, each in zip(QUANTILES, seconds or (), strict=False)]
    meaning = f"Markets' answers to orders by kind, {_LATELY} answers"
    yield Figures("coruscant_recent_answers", meaning, ("market", "kind"), answers)
    meaning = f"Orders decided {_LATELY} answers"
    yield Figures("coruscant_recent_verdicts", meaning, ("market", "verdict"), verdicts)
    meaning = f"What fills brought below the quoted price, as a share of it (below 0: more), {_LATELY} answers"
    yield Figures("coruscant_slippage", meaning, ("market",), slippage)
    meaning = f"From the commit of an order to the answer to its first send, {_LATELY} answers"
    yield Figures("coruscant_order_latency_seconds", meaning, ("market", "quantile"), latency)


def _durations(name: str, meaning: str, seconds: Any) -> Figures:
    rows = list(zip(QUANTILES, seconds or (), strict=False))
    return Figures(f"coruscant_{name}_seconds", f"{meaning}, {_LATELY}", ("quantile",), rows)


def _rows(query: str, parameters: Any = None) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return list(cursor.fetchall())
