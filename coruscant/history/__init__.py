"""Who changed what, and why: written by the database, whoever writes the row.

Every audited model declares `history = AuditedHistory(...)`. A trigger on its table copies each change into
django-simple-history's table, with the cause that the transaction named by `cause(...)`, and refuses a change of a
transaction that named none. So a plain `save()`, `update()`, `bulk_create()` or a statement in psql is in the history,
and none can be forgotten. Every app may import this package; it imports none of them.
"""

from coruscant.history.cause import Cause, acting_as, cause, set_cause

__all__ = ["Cause", "acting_as", "cause", "set_cause"]
