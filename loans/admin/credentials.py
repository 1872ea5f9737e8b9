"""Credentials of API clients as bank representatives see them, and how they revoke them."""

from typing import Any

from django.contrib import admin, messages
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest
from knox.models import AuthToken

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import NOTHING, instant, instant_column

admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class CredentialAdmin(ReadOnlyAdmin):
    """All credentials. A new one is made by `manage.py create_api_credential`: only whoever makes it may see it."""

    actions = ("revoke",)
    list_display = ("key", "user", "made", "expires")
    list_select_related = ("user",)
    search_fields = ("token_key__startswith", "user__username__startswith")
    search_help_text = "The beginning of a key or of a client's name"
    ordering = ("-created",)
    fieldsets = ((None, {"fields": ("key", "user", "made", "expires")}),)
    made = instant_column("created", "Made")

    @admin.display(description="Key begins with")
    def key(self, credential: AuthToken) -> str:
        """The part of the key that is kept readable."""
        return str(credential.token_key)

    @admin.display(description="Expires")
    def expires(self, credential: AuthToken) -> str:
        """Most are valid until they are revoked."""
        return instant(credential.expiry) if credential.expiry else f"{NOTHING} until revoked"

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Deleting a credential is revoking it."""
        return bool(request.user.has_perm("knox.delete_authtoken"))

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Revoking only."""
        return {name: found for name, found in super().get_actions(request).items() if name == "revoke"}

    @admin.action(description="Revoke selected credentials", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AuthToken]) -> None:
        """Revoke credentials at once and for good; the log of admin actions keeps who did it."""
        self.log_deletions(request, queryset)
        count, _ = queryset.delete()
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)
