"""Django's PostgreSQL engine, with a check of a kept connection that costs no round trip."""

import select

from django.db.backends.postgresql import base
from psycopg.pq import TransactionStatus


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django asks before a request or a task uses a connection that was kept: whether it is still there."""

    def is_usable(self) -> bool:
        """Whether the connection can be used, as far as this side has heard.

        A server that ends or closes a connection says so, and there is something to read then. A connection that
        idles and has nothing to read is taken as good without asking. In any other case PostgreSQL is asked: if
        there is something to read, or if a statement was left while it ran, as by a task's time limit.
        """
        if self.connection is None or self.connection.closed:
            return False
        idles = self.connection.pgconn.transaction_status == TransactionStatus.IDLE
        return (idles and not _something_to_read(self.connection.fileno())) or bool(super().is_usable())


def _something_to_read(descriptor: int) -> bool:
    poll = select.poll()  # not select(): it knows no descriptors above 1,023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
