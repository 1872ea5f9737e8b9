"""The promises of the service, as SQL: each query finds the rows that break one. None may ever find a row.

Run by `manage.py check_invariants`, and by tests after every fault. What only the markets' own logs or two transactions
at once can show (I7 under concurrency, I8, I9) is proved by tests instead.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.db import connection

from coruscant.approvals.invariants import TWO_PEOPLE
from coruscant.history.records import audited_columns, audited_models, history_of
from liquidation.controls.invariants import CONTROLS
from liquidation.invariants_of_terms import TERMS
from liquidation.invariants_of_two_people import TWO_PEOPLE_OF_SALES
from liquidation.loan_event_invariants import ONE_EVENT_A_TRANSITION, UNSENT
from pricing.invariants import GUARDS

Fetch = Callable[[str], Any]

#: How long a row may be past its due time before it counts as forgotten: the promise for a lost worker, with a margin.
OVERDUE_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Invariant:
    """One promise: `sql` selects the key of every row that breaks it.

    Most hold at every moment, in the middle of any fault. One that is `in_time` says that nothing is overdue; a fault
    that lasts longer than OVERDUE_SECONDS breaks it for so long, and for a while after.
    """

    name: str
    promise: str
    sql: str
    in_time: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """How many rows break an invariant, and the keys of the first few."""

    invariant: Invariant
    violations: int
    examples: tuple[str, ...]


def _overdue(rows: str) -> str:
    """Rows whose instant, which the query ends with, was over OVERDUE_SECONDS ago."""
    return f"{rows} < now() - interval '{OVERDUE_SECONDS} seconds'"


def _steps(history: str, column: str) -> str:
    """The rows of a history table: `before` is the column's value one step earlier, `step` counts from 1."""
    return f"""
        SELECT id FROM (
            SELECT *, lag({column}) OVER steps AS before, row_number() OVER steps AS step
            FROM {history} WINDOW steps AS (PARTITION BY id ORDER BY history_id)
        ) steps """  # noqa: S608


INVARIANTS: tuple[Invariant, ...] = (
    Invariant(
        "I1",
        "units booked for a liquidation are its sold collateral, never more than was claimed",
        """
        SELECT q.id FROM liquidation_liquidation q
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(units_traded), 0) AS units, coalesce(sum(proceeds), 0) AS proceeds
            FROM liquidation_tradeorder o WHERE o.liquidation_id = q.id AND o.status = 'filled'
        ) filled ON true
        WHERE filled.units <> q.collateral_sold OR filled.proceeds <> q.proceeds
           OR q.collateral_sold > q.collateral_at_claim
        """,
    ),
    Invariant(
        "I2",
        "a claimed liquidation is settled, waits for a person, or is being tried, and its loan says the same",
        """
        SELECT q.id FROM liquidation_liquidation q JOIN loans_loan l ON l.id = q.loan_id
        WHERE (q.status = 'settled') <> (l.status = 'liquidated')
           OR (q.status <> 'settled') <> (l.status = 'liquidating')
           OR (q.status = 'waiting') <> EXISTS (
                SELECT 1 FROM liquidation_tradeorder o WHERE o.liquidation_id = q.id AND o.status = 'unresolved')
        UNION ALL
        SELECT l.id FROM loans_loan l LEFT JOIN liquidation_liquidation q ON q.loan_id = l.id
        WHERE (l.status IN ('liquidating', 'liquidated')) <> (q.id IS NOT NULL)
        """,
    ),
    Invariant(
        "I2b",
        "a sale that is being tried is not overdue, unless a restore holds it",
        _overdue("SELECT id FROM liquidation_liquidation WHERE status = 'selling' AND held_by_id IS NULL AND due_at"),
        in_time=True,
    ),
    Invariant(
        "I3",
        "postings are the collateral now plus what was sold; the balance is the amount less the proceeds",
        """
        SELECT l.loan_id FROM loans_loan l
        LEFT JOIN LATERAL (
            SELECT coalesce(sum(amount), 0) AS units FROM loans_collateralposting p WHERE p.loan_id = l.id
        ) posted ON true
        LEFT JOIN liquidation_liquidation q ON q.loan_id = l.id
        WHERE posted.units <> l.collateral + coalesce(q.collateral_sold, 0)
           OR l.outstanding_balance <> greatest(0, l.amount - coalesce(q.proceeds, 0))
        """,
    ),
    Invariant(
        "I4",
        "a settled liquidation has one event, whose body says what the books say",
        """
        SELECT q.id FROM liquidation_liquidation q JOIN loans_loan l ON l.id = q.loan_id
        LEFT JOIN liquidation_liquidationevent e ON e.liquidation_id = q.id
        WHERE (q.status = 'settled') <> (e.id IS NOT NULL)
           OR (e.id IS NOT NULL AND (
                e.body::json ->> 'eventId' <> e.event_id::text
             OR e.body::json ->> 'eventType' <> 'liquidation'
             OR e.body::json ->> 'loanId' <> l.loan_id
             OR (e.body::json ->> 'collateralSold')::numeric <> q.collateral_sold
             OR (e.body::json ->> 'collateralSoldValue')::numeric <> q.proceeds
             OR (e.body::json ->> 'outstandingCollateral')::numeric <> l.collateral
             OR (e.body::json ->> 'outstandingBalance')::numeric <> l.outstanding_balance
             OR q.collateral_left <> l.collateral OR q.shortfall <> l.outstanding_balance
             OR q.surplus <> greatest(0, q.proceeds - q.balance_at_claim)))
        """,
    ),
    Invariant(
        "I4b",
        "an event is sent, or is being tried and not overdue, unless a restore holds it",
        _overdue(
            "SELECT e.event_id FROM liquidation_liquidationevent e JOIN liquidation_liquidation q"
            " ON q.id = e.liquidation_id WHERE e.sent_at IS NULL AND q.held_by_id IS NULL AND e.due_at"
        ),
        in_time=True,
    ),
    Invariant(
        "I5",
        "a loan's status moves only forward, one step at a time, and no step is missing from its history",
        _steps("loans_historicalloan", "status")
        + """
        WHERE (step = 1 AND (history_type <> '+' OR status <> 'new'))
           OR (step > 1 AND history_type <> '~')
           OR (step > 1 AND before <> status AND (before, status) NOT IN (
                ('new', 'active'), ('active', 'liquidating'), ('liquidating', 'liquidated')))
        """,
    ),
    Invariant(
        "I5b",
        "an order's status moves only as verdicts allow, or by the adoption of a trade that a market states",
        _steps("liquidation_historicaltradeorder", "status")
        + """
        WHERE (step = 1 AND status <> 'open' AND NOT (status = 'filled' AND history_change_reason LIKE 'adopt %'))
           OR (step > 1 AND (before = 'filled' OR status = 'open'))
           OR (step > 1 AND before = 'refused' AND NOT (status = 'filled' AND history_change_reason LIKE 'adopt %'))
        """,
    ),
    Invariant(
        "I5c",
        "a liquidation begins selling, may wait for a person, and never leaves its settlement",
        _steps("liquidation_historicalliquidation", "status")
        + "WHERE (before IS NULL AND status <> 'selling') OR before = 'settled'",
    ),
    Invariant(
        "I5d",
        "a margin call is opened, and closed at most once",
        _steps("loans_historicalmargincall", "closed_at")
        + "WHERE (step = 1 AND closed_at IS NOT NULL) OR before IS NOT NULL",
    ),
    Invariant(
        "I6",
        "no posting was written once its loan was claimed",
        """
        SELECT q.id FROM liquidation_liquidation q
        JOIN loans_collateralposting p ON p.loan_id = q.loan_id
        GROUP BY q.id HAVING sum(p.amount) <> q.collateral_at_claim
        """,
    ),
    Invariant(
        "I7",
        "a request has one effect: a loan for each application, a posting for each top-up",
        """
        SELECT coalesce(r.loan_id, p.loan_id) FROM
            (SELECT loan_id, count(*) AS n FROM loans_acceptedrequest
             WHERE endpoint = 'collateral-top-ups' GROUP BY loan_id) r
        FULL JOIN (SELECT loan_id, count(*) AS n FROM loans_collateralposting GROUP BY loan_id) p USING (loan_id)
        WHERE r.n IS DISTINCT FROM p.n
        UNION ALL
        SELECT l.id FROM loans_loan l LEFT JOIN loans_acceptedrequest r
            ON r.loan_id = l.id AND r.endpoint = 'loan-applications'
        GROUP BY l.id HAVING count(r.id) <> 1
        """,
    ),
    Invariant(
        "I10",
        "every message received is a quote, a duplicate, a skipped item or rejected",
        """
        SELECT f.market FROM pricing_feed f
        WHERE f.received <> f.quotes + f.duplicates + f.skipped + f.rejected
           OR f.quotes <> f.pruned + (SELECT count(*) FROM pricing_pricequote q WHERE q.market = f.market)
           OR f.rejected <> (SELECT count(*) FROM pricing_rejectedmessage r WHERE r.market = f.market)
        """,
    ),
    *(Invariant(*one) for one in TERMS),
    Invariant(
        "I13",
        "every trade that a market states is in the books, or its difference is open or explained",
        """
        SELECT stated.request_id FROM (
            SELECT market, request_id, sum(units) AS units, sum(proceeds) AS proceeds
            FROM liquidation_statementtrade GROUP BY market, request_id
        ) stated
        WHERE NOT EXISTS (
            SELECT FROM liquidation_tradeorder o WHERE o.request_id = stated.request_id AND o.market = stated.market
            AND o.status = 'filled' AND o.units_traded = stated.units AND o.proceeds = stated.proceeds)
        AND NOT EXISTS (
            SELECT FROM liquidation_reconciliationdifference d
            WHERE d.request_id = stated.request_id AND d.market = stated.market AND (d.status = 'open'
                OR (d.status = 'explained' AND d.units = stated.units AND d.proceeds = stated.proceeds)))
        """,
    ),
    Invariant(
        "I10b",
        "every quote is evaluated",
        _overdue("SELECT id FROM pricing_pricequote WHERE evaluated_at IS NULL AND received_at"),
        in_time=True,
    ),
    *(Invariant(*one) for one in CONTROLS),
    Invariant("I15", "every transition of a loan has one event, which says what happened", ONE_EVENT_A_TRANSITION),
    Invariant("I15b", "a loan event is sent, or is being tried and not overdue", _overdue(UNSENT), in_time=True),
    Invariant("I14", "whatever two people decided was decided by two, once and in time", TWO_PEOPLE),
    *(Invariant(*one) for one in TWO_PEOPLE_OF_SALES),
    *(Invariant(*one) for one in GUARDS),
)


def check(*, at_every_moment: bool = False, fetch: Fetch | None = None) -> Iterator[Finding]:
    """Run every query; yield one finding each. With `at_every_moment`, only those that hold in the middle of any fault.

    `fetch` runs a query and returns its one row, over Django's connection unless another way is given.
    """
    for invariant in every(at_every_moment=at_every_moment):
        yield look(invariant, fetch)


def every(*, at_every_moment: bool = False) -> list[Invariant]:
    """All invariants, history's comparison with the present included; or those that hold in the middle of any fault."""
    found = (*INVARIANTS, *_history_rebuilds_the_present())
    return [invariant for invariant in found if not (at_every_moment and invariant.in_time)]


def look(invariant: Invariant, fetch: Fetch | None = None) -> Finding:
    """Run the query of one."""
    count, examples = (fetch or _fetch)(
        f"SELECT count(*), (array_agg(broken::text))[1:5] FROM ({invariant.sql}) AS found(broken)"  # noqa: S608
    )
    return Finding(invariant, count, tuple(examples or ()))


def _fetch(query: str) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


def _history_rebuilds_the_present() -> Iterator[Invariant]:
    """For each audited table: the newest history row of every row is the row as it stands."""
    for model in audited_models():
        table: str = model._meta.db_table
        history: str = history_of(model)._meta.db_table
        now, then = (", ".join(f'{row}."{column}"' for column in audited_columns(model)) for row in ("p", "h"))
        yield Invariant(
            f"I5 {model._meta.model_name}",
            f"history alone rebuilds every {model._meta.verbose_name}",
            f"""
            SELECT coalesce(p.id, h.id) FROM "{table}" p
            FULL JOIN (SELECT DISTINCT ON (id) * FROM "{history}" ORDER BY id, history_id DESC) h ON h.id = p.id
            WHERE ({now}) IS DISTINCT FROM ({then})
            """,  # noqa: S608
        )
