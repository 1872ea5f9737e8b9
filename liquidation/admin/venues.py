"""Venues as bank representatives see them."""

from django.contrib import admin

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import instant_column
from liquidation.models import Venue


@admin.register(Venue)
class VenueAdmin(ReadOnlyAdmin):
    """Which venues take new orders, and which are paused."""

    list_display = ("market", "failures_in_row", "paused")
    fieldsets = ((None, {"fields": ("market", "failures_in_row", "paused")}),)
    paused = instant_column("paused_until", "No new orders until")
