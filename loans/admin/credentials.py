"""Credentials of API clients as bank representatives see them, and how they revoke them."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from knox.models import AuthToken

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.figures import NOTHING, instant

# As the bank calls them: knox gives its app and its table no names of their own.
AuthToken._meta.app_config.verbose_name = "API clients"
AuthToken._meta.verbose_name = "API client"
AuthToken._meta.verbose_name_plural = "API clients"

admin.site.unregister(AuthToken)


@admin.register(AuthToken)
class CredentialAdmin(ReadOnlyAdmin):
    """All credentials. A new one is made by `manage.py create_api_credential`: only whoever makes it may see it."""

    actions = ("revoke",)
    list_display = fields = ("key", "user", "made", "expires")
    list_select_related = ("user",)
    search_fields = ("token_key__startswith", "user__username__startswith")
    search_help_text = "The beginning of a key or of a client's name"
    ordering = ("-created",)
    key = column("Key begins with", lambda credential: credential.token_key)
    made = instant_column("created", "Made")
    expires = column("Expires", lambda row: instant(row.expiry) if row.expiry else f"{NOTHING} until revoked")
    has_delete_permission = admin.ModelAdmin.has_delete_permission  # type: ignore[assignment]  # deleting is revoking

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: found for name, found in super().get_actions(request).items() if name == "revoke"}

    @admin.action(description="Revoke selected credentials", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AuthToken]) -> None:
        """Revoke credentials at once and for good; the log of admin actions keeps who did it."""
        self.log_deletions(request, queryset)
        count, _ = queryset.delete()
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)
