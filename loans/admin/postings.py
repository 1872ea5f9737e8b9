"""Postings of collateral as bank representatives see them."""

from django.contrib import admin
from django.utils.safestring import SafeString

from coruscant.admin.base import AuditedAdmin, ReadOnlyInline
from coruscant.admin.figures import amount_column, instant_column, link_to
from loans.models import CollateralPosting


class PostingInline(ReadOnlyInline):
    """A loan's postings, on its page."""

    model = CollateralPosting
    verbose_name_plural = "Collateral posted"
    fields = ("posted", "units", "request_id")
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")


@admin.register(CollateralPosting)
class CollateralPostingAdmin(AuditedAdmin):
    """All collateral posted."""

    list_display = ("posted", "of_loan", "units", "request_id")
    list_select_related = ("loan",)
    list_filter = ("created_at",)
    search_fields = ("loan__loan_id__startswith", "request_id__exact")
    search_help_text = "The beginning of a loan id, or a request id"
    fieldsets = ((None, {"fields": ("of_loan", "units", "request_id", "posted")}),)
    posted = instant_column("created_at", "Posted")
    units = amount_column("amount", "units", "Amount")

    @admin.display(description="Loan")
    def of_loan(self, posting: CollateralPosting) -> str | SafeString:
        """A link."""
        return link_to(posting.loan)
