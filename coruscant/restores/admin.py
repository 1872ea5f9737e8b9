"""What was accepted and what is held, as bank representatives see it, and banners while anything is held."""

from collections.abc import Collection
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from unfold.enums import ActionVariant

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.commands import command_button, command_page
from coruscant.admin.figures import instant, page_of
from coruscant.admin.overview import banners
from coruscant.approvals import actions
from coruscant.approvals.pages import WhyForm, ask_on_page
from coruscant.restores import holds, identity
from coruscant.restores.models import DatabaseIdentity, Restore


def _replaced_banner(_request: HttpRequest) -> str | None:
    why = identity.objection()
    if not why:
        return None
    return (
        f"Nothing is claimed, activated, sold or published, since the database was replaced. {why} If it may have lost"
        " anything, manage.py after_restore comes next; if not, Nothing was lost, among the database identities."
    )


def _held_banner(_request: HttpRequest) -> str | None:
    restore = holds.under_way().first()
    if restore is None:
        return None
    held = []
    if restore.compared_at is None:
        first, last = map(instant, holds.statements_cover(restore))
        held.append(
            "sales and events that it may concern, until statements of all markets are compared that reach from"
            f" {first} until {last}"
        )
    if restore.claims_released_at is None:
        held.append("claims, until they are released")
    return f"Held since the {restore}: {'; '.join(held)}."


banners += [_replaced_banner, _held_banner]


@admin.register(Restore)
class RestoreAdmin(AuditedAdmin):
    """Restores, and what each still holds."""

    list_display = ("number", "since_then", "begun", "begun_by", "compared", "claims_released")
    fieldsets = (
        (None, {"fields": ("since_then", "reason", ("begun", "begun_by"), ("statements_from", "statements_until"))}),
        ("Released", {"fields": ("compared", ("claims_released", "claims_released_by"))}),
    )
    number = column("Restore", lambda row: f"No. {row.pk}", "id")
    since_then = instant_column("since", "Went back to")
    begun = instant_column("begun_at", "Accepted")
    statements_from = column("Statements must reach from", lambda row: instant(holds.statements_cover(row)[0]))
    statements_until = column("Statements must reach until", lambda row: instant(holds.statements_cover(row)[1]))
    compared = instant_column("compared_at", "Statements compared")
    claims_released = instant_column("claims_released_at", "Claims released")
    actions_detail = ("release_claims",)

    def has_release_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may ask for the action."""
        return bool(request.user.has_perm(actions.named(holds.RELEASE_CLAIMS).permission))

    @command_button("Release claims", icon="lock_open", permission="release", kind=ActionVariant.WARNING)
    def release_claims(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask for prices to claim loans again."""
        restore: Restore = self.row_or_404(request, object_id)

        def run(why: str) -> str:
            return ask_on_page(request, holds.RELEASE_CLAIMS, {"restore_id": restore.pk}, why)

        return command_page(
            request, WhyForm(request.POST if request.method == "POST" else None), run, back=page_of(restore),
            title="Release claims", submit_text="Ask for it",
            explanation="Prices claim loans again when somebody else agrees. Only once the OTC service has repeated its"
            f" requests since {instant(restore.since)}: a loan that is claimed refuses postings that come later.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: Restore) -> Collection[str]:
        """Nothing once claims are released."""
        return () if row.claims_released_at else ("release_claims",)


@admin.register(DatabaseIdentity)
class DatabaseIdentityAdmin(ReadOnlyAdmin):
    """Databases that were accepted as the bank's books; the first row of the list counts."""

    list_display = ("__str__", "accepted", "accepted_by", "doubt")
    fields = ("system_identifier", "timeline", "database", "accepted", "accepted_by", "doubt")
    accepted = instant_column("accepted_at", "Accepted")
    actions_list = ("nothing_was_lost",)

    def has_accept_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whoever may ask for the action."""
        return bool(request.user.has_perm(actions.named(holds.NOTHING_WAS_LOST).permission))

    @command_button("Nothing was lost", icon="check", permission="accept", kind=ActionVariant.DANGER)
    def nothing_was_lost(self, request: HttpRequest) -> HttpResponse:
        """Ask for the database to be accepted as it is."""

        def run(why: str) -> str:
            return ask_on_page(request, holds.NOTHING_WAS_LOST, {}, why)

        return command_page(
            request, WhyForm(request.POST if request.method == "POST" else None), run,
            back=reverse("admin:restores_databaseidentity_changelist"), title="Nothing was lost",
            submit_text="Ask for it",
            explanation="This database becomes the bank's books as it is, when somebody else agrees, and nothing is"
            " held. Only after a planned move, with all processes stopped before it. If it lacks one commit of the"
            " database before, units are sold twice: then run manage.py after_restore instead.",
        )  # fmt: skip

    def get_actions_list(self, request: HttpRequest) -> list[Any]:
        """Without the command unless the database was replaced."""
        return super().get_actions_list(request) if identity.objection() else []
