"""Pages of the desk within the admin: who may see them, and what every one of them shows around its own."""

from typing import Any

from django.contrib.admin import site
from django.contrib.auth.mixins import PermissionRequiredMixin
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.views.generic import TemplateView


class DeskPage(PermissionRequiredMixin, TemplateView):
    """A page of the desk, for people with all of `permission_required` (what the page shows, they may see anyway).

    A subclass gives `title`, `template_name` (which extends `desk/page.html`) and `get_context_data`. Whoever is not
    logged in is asked to; whoever is, and may not, is refused.
    """

    title = ""
    permission_required: Any = "loans.view_loan"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """As the admin's own pages: only for staff, and never from a cache.

        A part of a page that refreshes itself would be replaced by the log-in: its whole page is loaded again instead.
        """
        if "HX-Request" in request.headers and not site.has_permission(request):
            return HttpResponse(status=401, headers={"HX-Refresh": "true"})
        return site.admin_view(super().dispatch)(request, *args, **kwargs)

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """What the admin shows on every page, and the title."""
        self.request.current_app = site.name
        return {**site.each_context(self.request), "title": self.title, **super().get_context_data(**context)}
