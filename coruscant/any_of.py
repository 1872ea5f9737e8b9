"""A condition on many keys that is one parameter: `filter(pk__in=keys)` makes one of each.

A thousand of them are a new text for psycopg to take apart each time, which costs more than the query
(docs/decisions/0019).
"""

from collections.abc import Iterable

from django.core.exceptions import EmptyResultSet
from django.db.models import F, Lookup


def array(keys: Iterable[int]) -> str:
    """Keys as the text of an SQL array, for a parameter that is cast to bigint[], or int[].

    psycopg would look at each key by itself, and make another statement of those that fit into fewer bytes.
    """
    return f"{{{','.join(map(str, keys))}}}"


class AnyOf(Lookup):
    """For a queryset's `filter`: a bigint column is one of these keys."""

    lookup_name = "any_of"
    prepare_rhs = False

    def __init__(self, column: str, keys: Iterable[int]) -> None:
        """`column` may follow relations, as in `loan__loan_id`."""
        super().__init__(F(column), list(keys))

    def as_sql(self, compiler, connection):  # type: ignore[no-untyped-def]  # noqa: D102  (Django's)
        if not self.rhs:
            raise EmptyResultSet  # as `pk__in` does: nothing is asked
        column, parameters = self.process_lhs(compiler, connection)
        return f"{column} = ANY(%s::bigint[])", [*parameters, array(self.rhs)]
