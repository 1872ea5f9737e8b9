"""Liquidation events as bank representatives see them."""

from django.contrib import admin
from django.utils.safestring import SafeString

from coruscant.admin.base import AuditedAdmin, ReadOnlyInline
from coruscant.admin.figures import badge, instant_column, link_to, preformatted
from liquidation.models import LiquidationEvent


class EventInline(ReadOnlyInline):
    """A liquidation's event, on its page."""

    model = LiquidationEvent
    verbose_name_plural = "Event"
    fields = ("event", "sent", "sends", "body")
    sent = instant_column("sent_at", "Sent")

    @admin.display(description="Event")
    def event(self, row: LiquidationEvent) -> str | SafeString:
        """A link."""
        return link_to(row)


@admin.register(LiquidationEvent)
class LiquidationEventAdmin(AuditedAdmin):
    """The outbox: events that were published, or are still to be."""

    list_display = ("event_id", "of_loan", "state", "made", "sent", "sends")
    list_select_related = ("liquidation__loan",)
    list_filter = (("sent_at", admin.EmptyFieldListFilter),)
    search_fields = ("event_id__exact", "liquidation__loan__loan_id__startswith")
    search_help_text = "An event id, or the beginning of a loan id"
    fieldsets = (
        (None, {"fields": ("event_id", "of_loan", "state", "made", "sent", "message_id", "sends", "due")}),
        ("Body", {"fields": ("whole_body",)}),
    )
    made = instant_column("created_at", "Made")
    sent = instant_column("sent_at", "Sent")
    due = instant_column("due_at", "Due")

    @admin.display(description="Loan")
    def of_loan(self, event: LiquidationEvent) -> str | SafeString:
        """A link."""
        return link_to(event.liquidation.loan)

    @admin.display(description="Status")
    def state(self, event: LiquidationEvent) -> SafeString:
        """Sent or not yet."""
        return badge("sent", "success") if event.sent_at else badge("to be sent", "warning")

    @admin.display(description="Body")
    def whole_body(self, event: LiquidationEvent) -> SafeString:
        """As published, byte for byte."""
        return preformatted(event.body)
