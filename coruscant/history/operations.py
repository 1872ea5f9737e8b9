"""The migration operation that puts a model's history triggers in place."""

from typing import Any

from django.db.migrations.operations import RunSQL
from django.db.migrations.operations.base import Operation

from coruscant.history.triggers import REFUSE_CHANGE, HistoryTriggers


class InstallHistoryTriggers(Operation):
    """Let the database write the history of a model, from its columns and its history's as they are at this point.

    Any migration that adds, renames or removes an audited column ends with it; `manage.py check --database default`
    says if it was forgotten. Backwards, the triggers go, and are those of the migration before if that one installs
    them too. It locks the table against writers for a moment.
    """

    def __init__(self, model_name: str) -> None:
        """`model_name` is an audited model of the migration's app."""
        self.model_name = model_name

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Nothing: triggers are no part of Django's state."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Install."""
        for statement in self._triggers(schema_editor, app_label, to_state).install():
            schema_editor.execute(statement, params=None)

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Remove; history tables still refuse to be changed."""
        for statement in self._triggers(schema_editor, app_label, to_state).remove():
            schema_editor.execute(statement, params=None)

    def describe(self) -> str:
        """As `migrate --plan` shows it."""
        return f"Let the database write the history of {self.model_name}"

    def _triggers(self, schema_editor: Any, app_label: str, state: Any) -> HistoryTriggers:
        model = state.apps.get_model(app_label, self.model_name)
        history_model = state.apps.get_model(app_label, f"Historical{self.model_name}")
        with schema_editor.connection.cursor() as cursor:
            return HistoryTriggers.of(cursor, model, history_model)


class RestoreHistoryTriggers(InstallHistoryTriggers):
    """First in a migration that changes audited columns: backwards, the triggers are those from before it."""

    def database_forwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Nothing: `InstallHistoryTriggers` ends the migration."""

    def database_backwards(self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any) -> None:
        """Install those of the columns as they are again."""
        super().database_forwards(app_label, schema_editor, from_state, to_state)


def append_only(*tables: str) -> list[RunSQL]:
    """Operations that let the database refuse UPDATE, DELETE and TRUNCATE on `tables`: how history began."""
    refuse = "EXECUTE FUNCTION coruscant_refuse_change()"
    return [
        RunSQL(REFUSE_CHANGE, RunSQL.noop),
        *(
            RunSQL(
                f'CREATE TRIGGER {table}_refuses_change BEFORE UPDATE OR DELETE ON "{table}" FOR EACH ROW {refuse};'
                f'CREATE TRIGGER {table}_refuses_truncate BEFORE TRUNCATE ON "{table}" FOR EACH STATEMENT {refuse}',
                f'DROP TRIGGER {table}_refuses_change ON "{table}";DROP TRIGGER {table}_refuses_truncate ON "{table}"',
            )
            for table in tables
        ),
    ]
