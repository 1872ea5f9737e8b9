"""Clients of the API and their credentials as bank representatives see them: who sees what, and what is revoked."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from knox.models import AuthToken
from unfold.widgets import UnfoldAdminRadioSelectWidget

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.commands import command_button, command_page
from coruscant.admin.figures import NOTHING, instant, page_of
from loans.clients.models import ApiClient, CredentialUse, Scope
from loans.clients.scopes import set_scope

# As the bank calls them: knox gives its app and its table no names of their own.
AuthToken._meta.app_config.verbose_name = "API clients"
AuthToken._meta.verbose_name = "API credential"
AuthToken._meta.verbose_name_plural = "API credentials"

admin.site.unregister(AuthToken)


class ScopeForm(forms.Form):
    scope = forms.ChoiceField(
        label="It may see and post to", choices=Scope.choices, widget=UnfoldAdminRadioSelectWidget
    )


@admin.register(ApiClient)
class ApiClientAdmin(AuditedAdmin):
    """All clients. A new one is made with its first credential, by `manage.py create_api_credential`."""

    list_display = fields = ("name", "sees")
    list_select_related = ("user",)
    list_filter = ("scope",)
    search_fields = ("user__username__startswith",)
    search_help_text = "The beginning of a client's name"
    actions_detail = ("change_scope",)
    name = column("Client", lambda client: client.user.get_username())
    sees = column("May see and post to", lambda client: client.get_scope_display(), "scope")

    def has_change_scope_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        return bool(request.user.has_perm("loans.change_apiclient"))

    @command_button("Change scope", icon="visibility", permission="change_scope")
    def change_scope(self, request: HttpRequest, object_id: str) -> HttpResponse:
        client: ApiClient = self.row_or_404(request, object_id)

        def run(scope: str) -> str:
            set_scope(client.user, Scope(scope))
            return f"{client} may see and post to: {Scope(scope).label.lower()}."

        return command_page(
            request, ScopeForm(request.POST or None, initial={"scope": client.scope}), run,
            back=page_of(client), title=f"Scope of {client}", submit_text="Change",
            explanation="It holds from the client's next call on, for all its credentials. Loans beyond it are as if"
            " there were none.",
        )  # fmt: skip


@admin.register(AuthToken)
class CredentialAdmin(ReadOnlyAdmin):
    """All credentials. A new one is made by `manage.py create_api_credential`: only whoever makes it may see it."""

    actions = ("revoke",)
    list_display = fields = ("key", "user", "made", "expires", "used")
    list_select_related = ("user", "use")
    search_fields = ("token_key__startswith", "user__username__startswith")
    search_help_text = "The beginning of a key or of a client's name"
    ordering = ("-created",)
    key = column("Key begins with", lambda credential: credential.token_key)
    made = instant_column("created", "Made")
    expires = column("Expires", lambda row: instant(row.expiry) if row.expiry else f"{NOTHING} until revoked")
    used = column("Last used", lambda row: instant(row.use.last_used_at) if hasattr(row, "use") else f"{NOTHING} never")
    has_delete_permission = admin.ModelAdmin.has_delete_permission  # type: ignore[assignment]  # deleting is revoking

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {name: found for name, found in super().get_actions(request).items() if name == "revoke"}

    @admin.action(description="Revoke selected credentials", permissions=["delete"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[AuthToken]) -> None:
        """Revoke credentials at once and for good; the log of admin actions keeps who did it."""
        self.log_deletions(request, queryset)
        count, _ = queryset.delete()
        self.message_user(request, f"{count} revoked.", messages.SUCCESS)


@admin.register(CredentialUse)
class CredentialUseAdmin(ReadOnlyAdmin):
    list_display = fields = ("credential_key", "used")
    list_select_related = ("credential",)
    ordering = ("-last_used_at",)
    credential_key = column("Key begins with", lambda use: use.credential.token_key)
    used = instant_column("last_used_at", "Last used")
