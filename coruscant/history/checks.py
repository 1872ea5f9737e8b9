"""The system check that the database writes the history which the models ask for."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections
from django.db.migrations.executor import MigrationExecutor

from coruscant.history.records import audited_models, history_of
from coruscant.history.triggers import HistoryTriggers, differences


@register(Tags.database)
def history_is_written(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """An error for each trigger that is missing, disabled, or not what its model asks for.

    Run by `manage.py check --database default`, and by `migrate` before it migrates. Says nothing of a database with
    migrations to come.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        executor = MigrationExecutor(connections[alias])
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            continue
        with connections[alias].cursor() as cursor:
            found += [
                Error(
                    difference,
                    hint="Add InstallHistoryTriggers to a migration that comes last, and migrate.",
                    obj=model,
                    id="history.E001",
                )
                for model in audited_models()
                for difference in differences(cursor, HistoryTriggers.of(cursor, model, history_of(model)))
            ]
    return found
