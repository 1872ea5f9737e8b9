"""The page of a loan and its evidence, in place of the page that `loans` has registered, which knows no desk."""

import re
from collections.abc import Callable, Collection
from typing import Any, Final

import structlog
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.http import content_disposition_header
from unfold.decorators import action
from unfold.enums import ActionVariant

from coruscant import clock
from coruscant.admin.commands import command_button
from desk.evidence.document import Document, evidence_of
from desk.evidence.page import page_of
from desk.loan.page import loan_page
from loans.admin.loans import LoanAdmin
from loans.models import Loan
from loans.terms import in_words
from pricing.admin.price import price_now

# A method of the class below: Unfold looks a permission by its own name up in the database, which checks may not have.
_EVIDENCE: Final = "evidence"
# `download`, since a browser says of a page that turns out to be a file that it failed.
_download: Callable[[Callable[..., HttpResponse]], Any] = action(
    description="Evidence", icon="download", permissions=[_EVIDENCE], url_path="evidence",
    attrs={"download": "download"},
)  # fmt: skip

log = structlog.get_logger(__name__)
admin.site.unregister(Loan)


@admin.register(Loan)
class LoanWithEvidenceAdmin(LoanAdmin):
    """What happened to a loan is on its page. Its evidence needs a permission of its own."""

    change_form_template = "desk/loan.html"
    actions_detail: Any = (*LoanAdmin.actions_detail, "evidence", "print_evidence")

    def has_evidence_permission(self, request: HttpRequest, object_id: Any = None) -> bool:
        """Whether this person may take evidence."""
        return bool(request.user.has_perm("desk.take_evidence"))

    @_download
    def evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The document as a file: the bytes that `manage.py evidence` prints."""
        loan = self.row_or_404(request, object_id)
        name = re.sub(r"[^\w.-]", "_", loan.loan_id, flags=re.ASCII)
        disposition = content_disposition_header(as_attachment=True, filename=f"evidence-{name}.json")
        body = _document(request, loan).body
        return HttpResponse(body, content_type="application/json", headers={"Content-Disposition": disposition})

    @command_button("Print evidence", icon="print", permission=_EVIDENCE, kind=ActionVariant.DEFAULT)
    def print_evidence(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """The same for a person's eyes, on a page of its own that is fit for paper."""
        document = _document(request, self.row_or_404(request, object_id))
        return TemplateResponse(request, "desk/evidence.html", page_of(document.content))

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The page, with the newest steps of the loan unless all are asked for (`?steps=all`)."""
        loan: Loan = context["original"]
        page = loan_page(loan, price_now(request), whole=request.GET.get("steps") == "all")
        context |= {
            "page": page, "status": self.state(page.loan), "terms": in_words(page.loan.terms.thresholds),
            "now": clock.now(),
        }  # fmt: skip
        return super().render_change_form(request, context, *args, **kwargs)

    def commands_of(self, request: HttpRequest, row: Loan) -> Collection[str]:
        """Evidence can be had of every loan."""
        return (*super().commands_of(request, row), "evidence", "print_evidence")


def _document(request: HttpRequest, loan: Any) -> Document:
    if request.method not in {"GET", "HEAD"}:
        raise PermissionDenied
    document = evidence_of(loan.loan_id)
    log.info("evidence_taken", loan_id=loan.loan_id, actor=request.user.get_username())
    return document
