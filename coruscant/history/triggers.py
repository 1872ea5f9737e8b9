"""The SQL of the triggers: built from a model, for migrations, and again for the check that compares.

On an audited table: each inserted or changed row is copied into the history, DELETE and TRUNCATE are refused. On a
history table: UPDATE, DELETE and TRUNCATE are refused, of the tables' owner too. The copying function runs with its
owner's rights, so a role that writes the audited table needs none on its history.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from django.db import models

from coruscant.history.cause import ACTOR_ID, ACTOR_NAME, REASON

REFUSE_CHANGE = """
    CREATE OR REPLACE FUNCTION coruscant_refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'table % is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
    END $$
"""

_COPY = """
DECLARE
    reason CONSTANT text := nullif(current_setting('{reason}', true), '');
BEGIN
    IF reason IS NULL THEN
        RAISE EXCEPTION 'table % was written without a cause', TG_TABLE_NAME
            USING ERRCODE = 'restrict_violation', HINT = 'Name it in the same transaction: coruscant.history.cause.';
    END IF;
    INSERT INTO {schema}.{history} ({columns},
        history_date, history_type, history_change_reason, history_user_id, history_actor, history_session_user)
    VALUES ({values},
        clock_timestamp(), CASE TG_OP WHEN 'INSERT' THEN '+' ELSE '~' END, reason,
        nullif(current_setting('{actor_id}', true), '')::bigint,
        coalesce(nullif(current_setting('{actor_name}', true), ''), session_user), session_user);
    RETURN NULL;
END
"""


@dataclass(frozen=True, slots=True)
class HistoryTriggers:
    """The triggers of one audited model. `schema` is where its tables are."""

    table: str
    history: str
    #: In the order in which a change is looked for: wide columns last.
    columns: tuple[str, ...]
    compared: tuple[str, ...]
    schema: str

    @classmethod
    def of(cls, cursor: Any, model: type[models.Model], history_model: type[models.Model]) -> Self:
        """The triggers that a model and its history ask for, of a migration's state as well."""
        cursor.execute("SELECT current_schema()")
        (schema,) = cursor.fetchone()
        kept = {field.name for field in history_model._meta.local_concrete_fields}
        # Sorted, since the order of columns in a migration's state is not the model's.
        fields = sorted(
            (field for field in model._meta.local_concrete_fields if field.name in kept),
            key=lambda field: (isinstance(field, models.JSONField), field.column),
        )
        return cls(
            table=model._meta.db_table,
            history=history_model._meta.db_table,
            columns=tuple(str(field.column) for field in fields),
            compared=tuple(str(field.column) for field in fields if not field.primary_key),
            schema=schema,
        )

    @property
    def function(self) -> str:
        """The name of the function that copies."""
        return f"{self.table}_history"

    @property
    def body(self) -> str:
        """The function's text, as PostgreSQL keeps it."""
        return _COPY.format(
            reason=REASON,
            actor_name=ACTOR_NAME,
            actor_id=ACTOR_ID,
            schema=_quoted(self.schema),
            history=_quoted(self.history),
            columns=", ".join(_quoted(column) for column in self.columns),
            values=", ".join(f"NEW.{_quoted(column)}" for column in self.columns),
        )

    @property
    def condition(self) -> str:
        """When an update is a change."""
        return " OR ".join(f"OLD.{_quoted(column)} IS DISTINCT FROM NEW.{_quoted(column)}" for column in self.compared)

    @property
    def names(self) -> dict[str, tuple[str, ...]]:
        """The triggers of each of the two tables."""
        table, history = self.table, self.history
        return {
            table: (f"{table}_insert", f"{table}_update", f"{table}_refuses_delete", f"{table}_refuses_truncate"),
            history: (f"{history}_refuses_change", f"{history}_refuses_truncate"),
        }

    def install(self) -> list[str]:
        """Statements that put the function and all triggers in place, in place of those that are there."""
        table, history = _quoted(self.table), _quoted(self.history)
        insert, update, no_delete, no_truncate = (_quoted(name) for name in self.names[self.table])
        no_change, no_truncate_of_history = (_quoted(name) for name in self.names[self.history])
        refuse = "EXECUTE FUNCTION coruscant_refuse_change()"
        return [
            REFUSE_CHANGE,
            f"CREATE OR REPLACE FUNCTION {_quoted(self.function)}() RETURNS trigger LANGUAGE plpgsql"
            f" SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $history${self.body}$history$",
            f"CREATE OR REPLACE TRIGGER {insert} AFTER INSERT ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION {_quoted(self.function)}()",
            f"CREATE OR REPLACE TRIGGER {update} AFTER UPDATE ON {table} FOR EACH ROW WHEN ({self.condition})"
            f" EXECUTE FUNCTION {_quoted(self.function)}()",
            f"CREATE OR REPLACE TRIGGER {no_delete} BEFORE DELETE ON {table} FOR EACH ROW {refuse}",
            f"CREATE OR REPLACE TRIGGER {no_truncate} BEFORE TRUNCATE ON {table} FOR EACH STATEMENT {refuse}",
            f"CREATE OR REPLACE TRIGGER {no_change} BEFORE UPDATE OR DELETE ON {history} FOR EACH ROW {refuse}",
            f"CREATE OR REPLACE TRIGGER {no_truncate_of_history} BEFORE TRUNCATE ON {history}"
            f" FOR EACH STATEMENT {refuse}",
        ]

    def remove(self) -> list[str]:
        """Statements that take away what writes the history and guards the audited table; history stays guarded."""
        table = _quoted(self.table)
        return [
            *(f"DROP TRIGGER IF EXISTS {_quoted(name)} ON {table}" for name in self.names[self.table]),
            f"DROP FUNCTION IF EXISTS {_quoted(self.function)}()",
        ]


def differences(cursor: Any, triggers: HistoryTriggers) -> list[str]:
    """How the database differs from what `install` puts in place, a sentence each; it takes no locks."""
    cursor.execute(
        "SELECT p.prosrc, p.prosecdef, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.proname = %s AND n.nspname = %s",
        [triggers.function, triggers.schema],
    )
    function = cursor.fetchone()
    if function is None:
        return [f"There is no function {triggers.function}."]
    found = []
    if function[0] != triggers.body:
        found.append(f"The function {triggers.function} copies other columns, or by other rules.")
    if not function[1] or function[2] != ["search_path=pg_catalog, pg_temp"]:
        found.append(f"The function {triggers.function} is not SECURITY DEFINER with a fixed search_path.")
    for table, names in triggers.names.items():
        cursor.execute(
            "SELECT tgname, tgenabled, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgrelid = to_regclass(%s)",
            [_quoted(table)],
        )
        installed = {name: (enabled, definition) for name, enabled, definition in cursor.fetchall()}
        for name in names:
            enabled, definition = installed.get(name, ("", ""))
            if enabled not in {"O", "A"}:
                found.append(f"The trigger {name} of {table} is {'disabled' if definition else 'missing'}.")
            elif name == f"{triggers.table}_update" and _compared(definition) != triggers.compared:
                found.append(f"The trigger {name} of {table} compares other columns.")
    return found


def _compared(definition: str) -> tuple[str, ...]:
    """The columns that an update trigger compares, in its order."""
    return tuple(re.findall(r'\bold\."?(\w+)', definition, re.IGNORECASE))


def run(cursor: Any, statements: Sequence[str]) -> None:
    """Run statements that take no parameters."""
    for statement in statements:
        cursor.execute(statement)


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
