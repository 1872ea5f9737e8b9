"""Loan events as bank representatives see them, and a banner while they are not taken, or the setting differs."""

from datetime import timedelta

from django.contrib import admin
from django.db.models import Min
from django.http import HttpRequest

from coruscant import clock
from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column, link_column, own_id_column
from coruscant.admin.figures import badge, instant, preformatted
from coruscant.admin.filters import sent_filter, unsent_filter
from coruscant.admin.overview import banners
from loans.events import topic
from loans.events.models import LoanEvent, LoanEventTopic

#: As operations.md has it of the alert.
_NOT_TAKEN_FOR = timedelta(seconds=60)


def _banner(_request: HttpRequest) -> str | None:
    named = topic.named()
    said = [topic.difference_from_setting(named)]
    # The oldest one, whenever it is due next: of one that fails again and again that is later than of newer ones.
    since = topic.unsent(named).aggregate(oldest=Min("created_at"))["oldest"]
    if since and clock.now() - since >= _NOT_TAKEN_FOR:
        said.append(f"Loan events are not taken since {instant(since)}: margin calls may be unheard at {named}.")
    return " ".join(filter(None, said)) or None


banners.append(_banner)


@admin.register(LoanEvent)
class LoanEventAdmin(ReadOnlyAdmin):
    list_display = ("event", "of_loan", "sequence", "event_type", "happened", "state", "sent", "sends")
    list_select_related = ("loan",)
    list_filter = (sent_filter(), unsent_filter(), "event_type")
    search_fields = ("event_id__exact", "loan__loan_id__startswith")
    search_help_text = "An event id, or the beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("event_id", "event_type", ("of_loan", "sequence"), "happened")}),
        ("Sending", {"fields": (("state", "sent"), "message_id", ("sends", "due"))}),
        ("Body", {"fields": ("whole_body",)}),
    )
    state = column("Status", lambda row: badge("sent", "success") if row.sent_at else badge("to be sent", "warning"))
    happened = instant_column("created_at", "Happened")
    sent = instant_column("sent_at", "Sent")
    event = own_id_column("event_id", "Event")
    of_loan = link_column("Loan", lambda event: event.loan)
    due = instant_column("due_at", "Due")
    whole_body = column("Body", lambda event: preformatted(event.body))


@admin.register(LoanEventTopic)
class LoanEventTopicAdmin(ReadOnlyAdmin):
    list_display = fields = ("topic", "every_transition_since")
    every_transition_since = instant_column("since", "Every transition has an event since")
