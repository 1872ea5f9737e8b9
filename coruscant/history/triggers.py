"""The SQL of the triggers: built from a model, for migrations, and again for the check that compares.

On an audited table: each inserted or changed row is copied into the history, DELETE and TRUNCATE are refused. On a
history table: UPDATE, DELETE and TRUNCATE are refused, of the tables' owner too. The copying function runs with its
owner's rights, so a role that writes the audited table needs none on its history.
"""

import re
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
    def triggers(self) -> dict[str, tuple[str, str]]:
        """Each trigger by its name: its table, and when it does what."""
        table, history = self.table, self.history
        copy, refuse = f"EXECUTE FUNCTION {_quoted(self.function)}()", "EXECUTE FUNCTION coruscant_refuse_change()"
        changed = " OR ".join(f"OLD.{_quoted(name)} IS DISTINCT FROM NEW.{_quoted(name)}" for name in self.compared)
        on_table, on_history = f"ON {_quoted(table)} FOR EACH", f"ON {_quoted(history)} FOR EACH"
        return {
            f"{table}_insert": (table, f"AFTER INSERT {on_table} ROW {copy}"),
            f"{table}_update": (table, f"AFTER UPDATE {on_table} ROW WHEN ({changed}) {copy}"),
            f"{table}_refuses_delete": (table, f"BEFORE DELETE {on_table} ROW {refuse}"),
            f"{table}_refuses_truncate": (table, f"BEFORE TRUNCATE {on_table} STATEMENT {refuse}"),
            f"{history}_refuses_change": (history, f"BEFORE UPDATE OR DELETE {on_history} ROW {refuse}"),
            f"{history}_refuses_truncate": (history, f"BEFORE TRUNCATE {on_history} STATEMENT {refuse}"),
        }

    def install(self) -> list[str]:
        """Statements that put the function and all triggers in place, in place of those that are there."""
        return [
            REFUSE_CHANGE,
            f"CREATE OR REPLACE FUNCTION {_quoted(self.function)}() RETURNS trigger LANGUAGE plpgsql"
            f" SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $history${self.body}$history$",
            *(f"CREATE OR REPLACE TRIGGER {_quoted(name)} {when}" for name, (_, when) in self.triggers.items()),
        ]

    def remove(self) -> list[str]:
        """Statements that take away what writes the history and guards the audited table; history stays guarded."""
        ours = [name for name, (table, _) in self.triggers.items() if table == self.table]
        return [
            *(f"DROP TRIGGER IF EXISTS {_quoted(name)} ON {_quoted(self.table)}" for name in ours),
            f"DROP FUNCTION IF EXISTS {_quoted(self.function)}()",
        ]


def differences(cursor: Any, wanted: HistoryTriggers) -> list[str]:
    """How the database differs from what `install` puts in place, a sentence each; it takes no locks."""
    cursor.execute(
        "SELECT p.prosrc, p.prosecdef, p.proconfig FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace"
        " WHERE p.proname = %s AND n.nspname = %s",
        [wanted.function, wanted.schema],
    )
    function = cursor.fetchone()
    if function is None:
        return [f"There is no function {wanted.function}."]
    found = []
    if function[0] != wanted.body:
        found.append(f"The function {wanted.function} copies other columns, or by other rules.")
    if not function[1] or function[2] != ["search_path=pg_catalog, pg_temp"]:
        found.append(f"The function {wanted.function} is not SECURITY DEFINER with a fixed search_path.")
    for name, (table, _when) in wanted.triggers.items():
        cursor.execute(
            "SELECT tgenabled, pg_get_triggerdef(oid) FROM pg_trigger"
            " WHERE NOT tgisinternal AND tgrelid = to_regclass(%s) AND tgname = %s",
            [_quoted(table), name],
        )
        enabled, definition = cursor.fetchone() or ("", "")
        if enabled not in {"O", "A"}:
            found.append(f"The trigger {name} of {table} is {'disabled' if definition else 'missing'}.")
        elif name == f"{wanted.table}_update" and _compared(definition) != wanted.compared:
            found.append(f"The trigger {name} of {table} compares other columns.")
    return found


def _compared(definition: str) -> tuple[str, ...]:
    """The columns that an update trigger compares, in its order."""
    return tuple(re.findall(r'\bold\."?(\w+)', definition, re.IGNORECASE))


def _quoted(name: str) -> str:
    return '"{}"'.format(name.replace('"', '""'))
