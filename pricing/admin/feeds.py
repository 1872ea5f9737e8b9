"""Feeds as bank representatives see them: what came through each queue, and up to when it has been evaluated."""

from django.contrib import admin

from coruscant.admin.base import ReadOnlyAdmin
from coruscant.admin.figures import instant_column
from pricing.models import Feed, FeedEvaluation


@admin.register(Feed)
class FeedAdmin(ReadOnlyAdmin):
    """How far each market's queue is read, and the outcome of every message."""

    _counts = ("received", "quotes", "duplicates", "skipped", "rejected", "pruned")
    list_display = ("market", "polled", "drained", *_counts)
    fieldsets = (
        (None, {"fields": ("market", "polled", "drained", "locked", "poller")}),
        ("Messages", {"fields": _counts}),
    )
    polled = instant_column("polled_at", "Last receive")
    drained = instant_column("drained_to", "Drained to")
    locked = instant_column("polled_until", "Poller's lock until")


@admin.register(FeedEvaluation)
class FeedEvaluationAdmin(ReadOnlyAdmin):
    """Up to when each market's queue was known to be drained when loans were last evaluated."""

    list_display = ("market", "drained")
    fieldsets = ((None, {"fields": ("market", "drained")}),)
    drained = instant_column("known_drained_to", "Known to be drained to")
