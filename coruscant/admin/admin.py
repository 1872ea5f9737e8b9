"""What administrators changed of accounts, groups and credentials by hand, as Django's admin logs it: for auditors.

What the service itself does has a history of its own (docs/decisions/0023).
"""

from django.contrib import admin
from django.contrib.admin.models import LogEntry

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.figures import NOTHING


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
