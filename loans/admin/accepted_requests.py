"""API requests that took effect, as bank representatives see them."""

from django.contrib import admin
from django.utils.safestring import SafeString

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import instant_column, link_to, preformatted
from loans.models import AcceptedRequest


@admin.register(AcceptedRequest)
class AcceptedRequestAdmin(ReadOnlyAdmin):
    """API requests that took effect, each with the body it was answered with."""

    list_display = ("accepted", "endpoint", "shown_client", "request_id", "of_loan")
    list_select_related = ("loan",)
    list_filter = ("endpoint",)
    ordering = ("-id",)
    search_fields = ("request_id__exact", "loan__loan_id__startswith", "client__exact")
    search_help_text = "A request id, the beginning of a loan id, or a client"
    fieldsets = (
        (None, {"fields": ("endpoint", "shown_client", "request_id", "of_loan", "accepted", "content_digest")}),
        ("Answer", {"fields": ("body",)}),
    )
    accepted = instant_column("created_at", "Accepted")

    @admin.display(description="Client", ordering="client")
    def shown_client(self, request: AcceptedRequest) -> str:
        """The name of the client's user."""
        return request.client or "anonymous"

    @admin.display(description="Loan")
    def of_loan(self, request: AcceptedRequest) -> str | SafeString:
        """A link."""
        return link_to(request.loan)

    @admin.display(description="Body")
    def body(self, request: AcceptedRequest) -> SafeString:
        """As answered, byte for byte."""
        return preformatted(request.response_body)
