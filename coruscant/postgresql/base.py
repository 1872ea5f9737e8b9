"""Django's PostgreSQL engine, with a check of a kept connection that costs no round trip."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    """What Django asks before a request or a task uses a connection that was kept: whether it is still there."""

    def is_usable(self) -> bool:
        """Whether the connection can be used, as far as this side has heard.

        A server that ends or closes a connection says so, and there is something to read then. A connection that
        idles has nothing to read, and is taken as good without asking; if it has, PostgreSQL is asked. A peer that
        fell silent is found by the statement that comes next, after the keep-alives of the settings, as a question
        would find it.
        """
        if self.connection is None or self.connection.closed:
            return False
        return not _something_to_read(self.connection.fileno()) or bool(super().is_usable())


def _something_to_read(descriptor: int) -> bool:
    poll = select.poll()  # not select(): it knows no descriptors above 1,023
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(0))
