"""Messages that could not be understood, as bank representatives see them, and how many there are."""

from django.contrib import admin
from django.utils.safestring import SafeString

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import instant_column, preformatted
from coruscant.admin.overview import cards, count_card
from pricing.models import RejectedMessage

cards.append(
    lambda _request: count_card(
        "Rejected messages", RejectedMessage.objects.all(), "Could not be understood", some="warning", none=""
    )
)


@admin.register(RejectedMessage)
class RejectedMessageAdmin(ReadOnlyAdmin):
    """Messages that could not be understood, whole."""

    list_display = ("received", "market", "reason", "message_id")
    list_filter = ("market",)
    search_fields = ("message_id__exact", "reason__icontains")
    search_help_text = "SQS message id or words of the reason"
    fieldsets = (
        (None, {"fields": ("market", "queue", "message_id", "reason", "sent", "received")}),
        ("Body", {"fields": ("whole_body",)}),
    )
    sent = instant_column("sent_at", "Sent")
    received = instant_column("received_at", "Received")

    @admin.display(description="Body")
    def whole_body(self, message: RejectedMessage) -> SafeString:
        """The body as received, character by character."""
        return preformatted(message.body)
