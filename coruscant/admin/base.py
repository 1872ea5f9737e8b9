"""Base classes of the admin's pages: rows are shown, and their history; they are never changed by hand.

The admin is for bank representatives. What they may do besides reading are commands (`commands.py`).
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib import messages
from django.contrib.admin import helpers
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import flatten_fieldsets, get_fields_from_path
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper
from unfold.admin import ModelAdmin, TabularInline
from unfold.forms import AdminForm, Fieldline

from coruscant.admin.export import export
from coruscant.admin.figures import figure, instant
from coruscant.admin.lists import BoundedPaginator, RowList

# Unfold sets these when a change form is first opened, but a history form may be opened before that.
helpers.AdminForm = AdminForm  # type: ignore[misc]
helpers.Fieldline = Fieldline  # type: ignore[misc]


#: A search looks at the rows of no more loans, or other owners, than these.
_MOST_OWNERS = 1000


class _ReadOnly:
    """No adding, editing or deleting, whatever the user's permissions: here, those stand for commands."""

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        return flatten_fieldsets(self.get_fieldsets(request, obj))  # type: ignore[attr-defined]

    def _nobody(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return False

    has_add_permission = has_change_permission = has_delete_permission = _nobody


class ReadOnlyAdmin(_ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Pages of a table that is only read. A subclass gives `fields` or `fieldsets`.

    Its list is exported by whoever sees it. `totals` names columns of amounts that are added up below it.
    """

    actions: Any = None
    list_per_page = 50
    paginator = BoundedPaginator
    show_full_result_count = False
    list_sections: Sequence[Any] = ()  # looked for in each row, which takes long if there are none
    change_list_template = "coruscant_admin/list.html"
    totals: Sequence[str] = ()

    def get_changelist(self, request: HttpRequest, **_kwargs: Any) -> Any:
        return RowList

    def get_list_display_links(self, request: HttpRequest, list_display: Sequence[Any]) -> Any:
        """None where the first column is a link itself."""
        first = getattr(self, str(list_display[0]), None)
        return None if hasattr(first, "leads_to_the_row") else super().get_list_display_links(request, list_display)

    def get_custom_urls(self) -> Any:
        name = f"{self.opts.app_label}_{self.opts.model_name}_export"
        return (*super().get_custom_urls(), ("export/", name, self.export_view))

    def export_view(self, request: HttpRequest, **_kwargs: Any) -> HttpResponseBase:
        """The list as a CSV file, filtered and sorted as it is shown, all pages."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            listed = self.get_changelist_instance(request)
        except IncorrectLookupParameters:
            return HttpResponseRedirect(f"../?{ERROR_FLAG}=1")
        return export(request, listed)

    def get_search_results(self, request: HttpRequest, queryset: QuerySet[Any], search_term: str) -> Any:
        """Rows that fit any of `search_fields`, of which each is looked up in an index: the term is one word.

        Loans and orders that a row belongs to are looked up first, and no more than a thousand of them: an OR across
        tables would read all of each.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        found = Q(pk__in=())
        for lookup in self.search_lookups(request, term):
            found |= lookup
        return queryset.filter(found), False

    def search_lookups(self, request: HttpRequest, term: str) -> Iterable[Q]:
        """What a row must fit, one of them."""
        for path in self.get_search_fields(request):
            *relations, field, lookup = path.split("__")
            try:
                get_fields_from_path(self.model, "__".join((*relations, field)))[-1].to_python(term)
            except ValidationError:
                continue  # such as a name where an event's id is kept
            of_rows = Q(**{f"{field}__{lookup}": term})
            if relations:
                yield self._belongs_to(request, "__".join(relations), of_rows)
            else:
                yield of_rows

    def _belongs_to(self, request: HttpRequest, relation: str, wanted: Q) -> Q:
        model: Any = get_fields_from_path(self.model, relation)[-1].related_model
        pks = list(model.objects.filter(wanted).order_by().values_list("pk", flat=True)[: _MOST_OWNERS + 1])
        if len(pks) > _MOST_OWNERS:
            plural = model._meta.verbose_name_plural
            messages.info(request, f"More than {_MOST_OWNERS:,} {plural} fit: only some are searched. Type more of it.")
        return Q(**{f"{relation}__in": pks[:_MOST_OWNERS]})

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
