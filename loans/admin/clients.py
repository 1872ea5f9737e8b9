"""The API's clients as bank representatives see them: what was accepted from them, and their credentials."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from knox.models import AuthToken

from coruscant.admin.base import NOTHING, ReadOnlyAdmin, instant, instant_column, link_to, preformatted
from coruscant.admin.groups import grant
from loans.models import AcceptedRequest

grant("knox", "delete_authtoken")


@admin.register(AcceptedRequest)
class AcceptedRequestAdmin(ReadOnlyAdmin):
    """API requests that took effect, with the body each was answered with."""

    list_display = ("accepted", "endpoint", "shown_client", "request_id", "of_loan")
    list_select_related = ("loan",)
    list_filter = ("endpoint",)
    ordering = ("-id",)
    search_fields = ("request_id__exact", "loan__loan_id__startswith", "client__exact")
    search_help_text = "A request id, how a loan id begins, or a client"
    fieldsets = (
        (None, {"fields": ("endpoint", "shown_client", "request_id", "of_loan", "accepted", "content_digest")}),
        ("Answer", {"fields": ("body",)}),
    )
    accepted = instant_column("created_at", "Accepted")

    @admin.display(description="Client", ordering="client")
    def shown_client(self, request: AcceptedRequest) -> str:
        """Its user's name."""
        return request.client or "anonymous"

    @admin.display(description="Loan")
    def of_loan(self, request: AcceptedRequest) -> str | SafeString:
        """A link."""
        return link_to(request.loan)

    @admin.display(description="Body")
    def body(self, request: AcceptedRequest) -> SafeString:
        """As answered, byte for byte."""
        return preformatted(request.response_body)


admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class CredentialAdmin(ReadOnlyAdmin):
    """Credentials of API clients: seen and revoked here, made by a command, since only its maker may see a new one."""

    actions = ("revoke",)
    list_display = ("key", "user", "made", "expires")
    list_select_related = ("user",)
    search_fields = ("token_key__startswith", "user__username__startswith")
    search_help_text = "How a key or a client's name begins"
    ordering = ("-created",)
    fieldsets = ((None, {"fields": ("key", "user", "made", "expires")}),)
    made = instant_column("created", "Made")

    @admin.display(description="Key begins with")
    def key(self, credential: AuthToken) -> str:
        """The part of the key that is kept readable."""
        return str(credential.token_key)

    @admin.display(description="Expires")
    def expires(self, credential: AuthToken) -> str:
        """Most last until they are revoked."""
        return instant(credential.expiry) if credential.expiry else f"{NOTHING} until revoked"

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Deleting a credential is revoking it."""
        return bool(request.user.has_perm("knox.delete_authtoken"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Revoking only."""
        return {name: found for name, found in super().get_actions(request).items() if name == "revoke"}

    @admin.action(description="Revoke selected credentials", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AuthToken]) -> None:
        """Make credentials useless, at once and for ever; the log of admin actions keeps who did it."""
        self.log_deletions(request, queryset)
        count, _ = queryset.delete()
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)
