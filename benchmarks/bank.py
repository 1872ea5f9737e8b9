"""A bank of active loans of any size, made in bulk, with rows and history as the services would have left them."""

from typing import Any

import psycopg

from benchmarks.stage import Stage
from coruscant.history.records import audited_columns, history_of
from loans.models import CollateralPosting, Loan

#: Units of collateral of every loan.
UNITS = 40
#: Debts per unit, GC: of loans near the edge, which the crash breaches, and of all others, which get no margin call.
EDGE = (23.5, 25.0)
CALM = (10.0, 16.0)
_CHUNK = 200_000

_LOANS = """
    INSERT INTO loans_loan (id, loan_id, borrower_id, amount, collateral, outstanding_balance, status, request_id,
        created_at, activated_at, prices_apply_from, terms_id)
    SELECT n, 'loan-' || n, 'borrower-' || n / 10, amount, {units}, amount, 'active', 'application-' || n, at, at, at, 1
    FROM (
        SELECT n, now() - interval '1 day' AS at, round({units} * (CASE WHEN n % {every} = 0
            THEN {edge[0]} + {edge_width} * n / {size} ELSE {calm[0]} + {calm_width} * n / {size} END)::numeric, 6)
            AS amount
        FROM generate_series({first}, {last}) n
    ) made
"""
_POSTINGS = """
    INSERT INTO loans_collateralposting (id, loan_id, amount, request_id, created_at)
    SELECT id, id, collateral, 'posting-' || id, created_at FROM loans_loan WHERE id BETWEEN {first} AND {last}
"""
_REQUESTS = """
    INSERT INTO loans_acceptedrequest (client, endpoint, request_id, content_digest, response_body, loan_id, created_at)
    SELECT '', endpoint, prefix || l.id, encode(sha256((prefix || l.id)::bytea), 'hex'), format(
        '{{"loanId":"%s","borrowerId":"%s","amount":"%s","collateral":"{units}","status":"active",'
        '"outstandingBalance":"%s","ltv":"0.400000000000000000000000","collateralValue":"2000",'
        '"requiredCollateral":"0","openWarning":null,"createdAt":"2026-11-24T12:00:00.000000Z",'
        '"activatedAt":"2026-11-24T12:00:01.000000Z","liquidation":null}}',
        l.loan_id, l.borrower_id, l.amount::float8, l.amount::float8), l.id, l.created_at
    FROM loans_loan l, (VALUES ('loan-applications', 'application-'), ('collateral-top-ups', 'posting-'))
        AS request(endpoint, prefix)
    WHERE l.id BETWEEN {first} AND {last}
"""


def open_bank(stage: Stage, loans: int, *, edge_every: int = 10) -> None:
    """Start over with a bank of so many active loans, of which each `edge_every`th is near the edge.

    It is made once a run and then copied. No prices are known yet.
    """
    name = f"benchmarks_{loans}_{edge_every}"
    if not stage.kept(name):
        stage.say(f"lending to {loans:,} borrowers")
        stage.use()
        with stage.superuser() as connection:
            _lend(connection, loans, edge_every)
        stage.keep(name)
    stage.use(name)


def at_the_edge(loans: int, *, edge_every: int = 10) -> int:
    """How many loans of a bank are near the edge."""
    return loans // edge_every


def _lend(connection: "psycopg.Connection[Any]", loans: int, edge_every: int) -> None:
    # No triggers: the rows match each other by construction, and their history is written below.
    connection.execute("SET session_replication_role = replica")
    figures = {
        "units": UNITS,
        "every": edge_every,
        "size": loans,
        "edge": EDGE,
        "edge_width": EDGE[1] - EDGE[0],
        "calm": CALM,
        "calm_width": CALM[1] - CALM[0],
    }
    created = {"status": "'new'", "collateral": "0", "activated_at": "NULL", "prices_apply_from": "NULL"}
    for first in range(1, loans + 1, _CHUNK):
        span = {"first": first, "last": min(loans, first + _CHUNK - 1)}
        for statement in (
            _LOANS,
            _history(Loan, "application", "+", created),
            _history(Loan, "posting", "~", {}),
            _POSTINGS,
            _history(CollateralPosting, "posting", "+", {}),
            _REQUESTS,
        ):
            connection.execute(statement.format(**figures, **span).encode())
    for table in ("loans_loan", "loans_collateralposting"):
        connection.execute(f"SELECT setval('{table}_id_seq', {loans})".encode())
    connection.execute("VACUUM (FREEZE, ANALYZE)")


def _history(model: Any, action: str, kind: str, then: dict[str, str]) -> str:
    """A statement for the history of a range of rows: their present values, except for the columns in `then`."""
    columns = audited_columns(model)
    values = ", ".join(then.get(column, f'"{column}"') for column in columns)
    names = ", ".join(f'"{column}"' for column in columns)
    table = history_of(model)._meta.db_table
    return (
        f'INSERT INTO "{table}" ({names}, history_date, history_type, history_change_reason, history_user_id,'
        f" history_actor) SELECT {values}, created_at, '{kind}', '{action} {action}-' || id, NULL, 'anonymous client'"
        f' FROM "{model._meta.db_table}" WHERE id BETWEEN {{first}} AND {{last}} ORDER BY id'
    )
