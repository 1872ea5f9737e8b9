"""Groups of people; and what administrators changed of accounts, groups and credentials by hand: for auditors.

What the service itself does has a history of its own (docs/decisions/0023).
"""

from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.actions import delete_selected
from django.contrib.admin.models import LogEntry
from django.contrib.admin.utils import unquote
from django.contrib.auth.admin import GroupAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from unfold.admin import ModelAdmin

from coruscant.admin import groups
from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.figures import NOTHING, page_of

admin.site.unregister(Group)


class NameForm(forms.ModelForm):  # type: ignore[type-arg]
    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if name != self.instance.name and groups.is_named(self.instance.name):
            raise ValidationError(_why_it_stays(self.instance, "renamed"))
        return name


@admin.register(Group)
class NamedGroupAdmin(GroupAdmin, ModelAdmin):  # type: ignore[misc]
    """Groups as Django shows them. One that code or settings name is not renamed or deleted.

    Otherwise its people would be asked for no second factor any more, for instance.
    """

    form = NameForm
    actions = ("delete_selected",)

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The page that asks whether to delete a group; of one that stays, its own page with the reason."""
        group = self.get_object(request, unquote(object_id))
        if group and self.has_delete_permission(request, group) and _refused(request, [group]):
            return HttpResponseRedirect(page_of(group))
        return super().delete_view(request, object_id, extra_context)

    @admin.action(description="Delete selected groups", permissions=["delete"])
    def delete_selected(self, request: HttpRequest, queryset: QuerySet[Group]) -> HttpResponse | None:
        """None of them, if one stays."""
        return None if _refused(request, queryset) else delete_selected(self, request, queryset)


def _refused(request: HttpRequest, to_delete: Iterable[Group]) -> bool:
    stay = [group for group in to_delete if groups.is_named(group.name)]
    for group in stay:
        messages.error(request, _why_it_stays(group, "deleted"))
    return bool(stay)


def _why_it_stays(group: Group, what: str) -> str:
    return f"{group} is not {what}: the service knows it by this name. Take its people or permissions from it instead."


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    list_display = ("at", "by", "what", "of", "row", "said")
    list_select_related = ("user", "content_type")
    ordering = ("-id",)
    search_fields = ("user__username__exact", "object_id__exact")
    search_help_text = "The name of whoever did it, or the number of the row"
    fields = ("at", "by", "what", "of", "row", "said")
    at = instant_column("action_time", "At")
    by = column("By", lambda entry: entry.user.get_username())
    what = column("What", lambda entry: entry.get_action_flag_display())
    of = column("Of", lambda entry: entry.content_type.name if entry.content_type else NOTHING)
    row = column("Row", lambda entry: entry.object_repr)
    said = column("Changed", lambda entry: entry.get_change_message() or NOTHING)
