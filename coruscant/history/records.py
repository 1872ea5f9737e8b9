"""The history of a model: django-simple-history's model and pages, on tables that only the triggers write."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from django.apps import apps
from django.db import models
from simple_history.models import HistoricalRecords


class HistoryEntry(models.Model):
    """What every history row carries in addition to simple-history's own columns.

    History is never rewritten, so the actor is a plain id and name, not a foreign key to a user who may be deleted.
    """

    history_actor = models.CharField(max_length=150)
    history_session_user = models.CharField(
        max_length=63, null=True, help_text="The database role of the session: actor and reason can be forged, this not"
    )

    class Meta:
        abstract = True


class AuditedHistory(HistoricalRecords):  # type: ignore[misc]
    """simple-history's records for tables that triggers write: 64-bit ids, plain actor, no index but the row's id.

    `unaudited` names bookkeeping columns (leases, fences, due times, send counters) and generated columns: a change of
    these alone is not history. History is read by row; other indexes would cost every write and serve nobody.
    """

    def __init__(self, *, unaudited: Iterable[str] = (), **kwargs: Any) -> None:
        ours = {
            "history_id_field": models.BigAutoField(),
            "history_user_id_field": models.BigIntegerField(null=True),
            "history_user_getter": _actor_name,
            "history_change_reason_field": models.TextField(),
            "bases": (HistoryEntry,),
            "excluded_fields": list(unaudited),
        }
        super().__init__(**(ours | kwargs))

    def copy_fields(self, model: type[models.Model]) -> dict[str, Any]:
        """The model's columns; of their indexes only the one on the row's id is kept."""
        fields: dict[str, Any] = super().copy_fields(model)
        for field in fields.values():
            if field.name != model._meta.pk.name:
                field.db_index = False
        return fields


def _actor_name(entry: Any) -> str:
    return str(entry.history_actor)


def audited_models() -> list[type[models.Model]]:
    """Every model that has a history, in the order of apps and models."""
    return [model for model in apps.get_models() if hasattr(model._meta, "simple_history_manager_attribute")]


@cache  # each look at `model.history` makes a class
def history_of(model: type[models.Model]) -> type[models.Model]:
    """The model of an audited model's history."""
    return model.history.model  # type: ignore[attr-defined, no-any-return]


@cache
def audited_columns(model: type[models.Model]) -> tuple[str, ...]:
    """The columns of an audited model that its history keeps, in the model's order."""
    return tuple(field.column for field in history_of(model).tracked_fields)  # type: ignore[attr-defined]
