"""Locking what a sale writes: the loan's row and its liquidation's, in this order, by everybody who needs both."""

from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from coruscant import clock
from coruscant.history.cause import COLUMNS as CAUSE
from coruscant.history.cause import cause_of
from liquidation.models import Liquidation
from loans.models import Loan

_LOAN = tuple(field.attname for field in Loan._meta.concrete_fields)
#: Without the evidence, which no sale asks for: it is read when somebody does.
_LIQUIDATION = tuple(field.attname for field in Liquidation._meta.concrete_fields if field.attname != "evidence")
# PostgreSQL locks the rows of a join in the order in which FOR UPDATE OF names the tables. The clock is read and the
# cause named outside the subquery, so once the locks are held.
_LOCK = f"""
    SELECT {clock.COLUMN}, {CAUSE.replace("%(reason)s", "%(action)s || ' ' || locked.cause_id")}, locked.*
    FROM (
        SELECT sale.correlation_id AS cause_id, {", ".join(f"loan.{column}" for column in _LOAN)},
               {", ".join(f"sale.{column}" for column in _LIQUIDATION)}
        FROM liquidation_liquidation AS sale JOIN loans_loan AS loan ON loan.id = sale.loan_id
        WHERE sale.id = %(liquidation)s FOR UPDATE OF loan, sale
    ) AS locked
"""  # noqa: S608
_BEFORE = 5  # the clock, three columns of the cause, the cause's id


def lock(liquidation_id: int, action: str) -> tuple[Loan, Liquidation, datetime]:
    """Lock a liquidation's loan and the liquidation for the rest of the transaction; also says when they were locked.

    It names the cause of what follows, too: `action`, set off by the price event behind the claim. The transaction
    must be the outermost. Raises Liquidation.DoesNotExist.
    """
    asked: dict[str, Any] = {**cause_of(action, "").parameters, "action": action, "liquidation": liquidation_id}
    with connection.cursor() as cursor:
        cursor.execute(_LOCK, asked)
        found = cursor.fetchone()
    if found is None:
        raise Liquidation.DoesNotExist(f"there is no liquidation {liquidation_id}")
    loan_ends = _BEFORE + len(_LOAN)
    loan = Loan.from_db(DEFAULT_DB_ALIAS, _LOAN, found[_BEFORE:loan_ends])
    liquidation = Liquidation.from_db(DEFAULT_DB_ALIAS, _LIQUIDATION, found[loan_ends:])
    liquidation.loan = loan
    return loan, liquidation, clock.read(found[0])
