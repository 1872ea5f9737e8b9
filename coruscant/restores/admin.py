"""What was accepted and what is held, as bank representatives see it, and banners while anything is held."""

from django.contrib import admin
from django.http import HttpRequest

from coruscant.admin.base import AuditedAdmin, ReadOnlyAdmin
from coruscant.admin.columns import column, instant_column
from coruscant.admin.figures import instant
from coruscant.admin.overview import banners
from coruscant.restores import holds, identity
from coruscant.restores.models import DatabaseIdentity, Restore


def _replaced_banner(_request: HttpRequest) -> str | None:
    why = identity.objection()
    return f"Nothing is claimed, activated, sold or published, since the database was replaced. {why}" if why else None


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


@admin.register(DatabaseIdentity)
class DatabaseIdentityAdmin(ReadOnlyAdmin):
    """Databases that were accepted as the bank's books; the first row of the list counts."""

    list_display = ("__str__", "accepted", "accepted_by", "doubt")
    fields = ("system_identifier", "timeline", "database", "accepted", "accepted_by", "doubt")
    accepted = instant_column("accepted_at", "Accepted")
