"""How PostgreSQL reads what the desk asks for: in tests there are few rows, so it is kept from reading whole tables."""

from contextlib import contextmanager

from django.db import connection


@contextmanager
def plans(*, bitmaps=True):
    """Collect the plan of each statement of the block, as text."""
    found = []

    def explain(execute, statement, parameters, many, context):
        execute(f"EXPLAIN (FORMAT JSON) {statement}", parameters, many, context)
        found.append(str(context["cursor"].fetchone()[0]))
        return execute(statement, parameters, many, context)

    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute(f"SET LOCAL enable_bitmapscan = {bitmaps}")
    with connection.execute_wrapper(explain):
        yield found
