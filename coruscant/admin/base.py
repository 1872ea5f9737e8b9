"""Base classes of the admin's pages: rows are shown, and their history; they are never changed by hand.

The admin is for bank representatives. What they may do besides reading are commands (`commands.py`).
"""

from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.admin import helpers
from django.contrib.admin.utils import flatten_fieldsets
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminForm, Fieldline

from coruscant.admin.figures import figure, instant

# Unfold sets these when a change form is first opened, but a history form may be opened before that.
helpers.AdminForm = AdminForm  # type: ignore[misc]
helpers.Fieldline = Fieldline  # type: ignore[misc]


class _ReadOnly:
    """No adding, editing or deleting, whatever the user's permissions: here, those stand for commands."""

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))  # type: ignore[attr-defined]

    def _nobody(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _nobody


class ReadOnlyAdmin(_ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Pages of a table that is only read. A subclass gives `fields` or `fieldsets`."""

    actions: Any = None
    list_per_page = 50
    show_full_result_count = False  # a big table is counted once a page, not twice

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; a POST, which could only be an edit or an action, is refused unless there are actions."""
        if request.method == "POST" and not self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """The commands on a row's page: those that `commands_of` names. None if there is no such row."""
        row = self.get_object(request, object_id) if self.actions_detail else None
        possible = () if row is None else self.commands_of(request, row)
        found = super().get_actions_detail(request, object_id)
        return [command for command in found if command.method.__name__ in possible]

    def commands_of(self, request: HttpRequest, row: Any) -> Collection[str]:
        """Which of `actions_detail` can be done with the row now, by whoever asks."""
        return tuple(self.actions_detail)

    def row_or_404(self, request: HttpRequest, object_id: str) -> Any:
        row = self.get_object(request, object_id)
        if row is None:
            raise Http404
        return row


class _PlainDeltas(HistoricalRecordContextHelper):  # type: ignore[misc]
    """Shows changed figures and instants as the other pages do."""

    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        found = super().prepare_delta_change_value(change, value)
        if found is None or isinstance(found, Decimal):
            return figure(found)
        return instant(found) if isinstance(found, datetime) else found


class AuditedAdmin(SimpleHistoryAdmin, ReadOnlyAdmin):  # type: ignore[misc]
    """Pages of an audited table, with the history of each row: read, never restored."""

    object_history_list_template = "coruscant_admin/history_list.html"

    def get_historical_record_context_helper(self, request: HttpRequest, historical_record: Any) -> Any:
        return _PlainDeltas(self.model, historical_record)

    def history_form_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """One version as it was. A POST is refused: simple-history would save it although reverting is disabled."""
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        return super().history_form_view(request, *args, **kwargs)  # type: ignore[no-any-return]


class ReadOnlyInline(_ReadOnly, TabularInline):  # type: ignore[misc]
    """Rows of another table on a row's page, only read. A subclass gives `fields`."""

    extra = 0
    per_page = 20
    hide_title = True
