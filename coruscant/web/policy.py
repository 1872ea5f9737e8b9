"""The Content Security Policy of each answer: the admin's pages need more than all others."""

from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from coruscant.web.problems import is_page


class PolicyMiddleware(CSPMiddleware):
    """django-csp's, with the admin's own policy for its pages."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """As the settings say, and ADMIN_POLICY in its place for pages of the admin."""
        parts = super().get_policy_parts(request, response, report_only)
        if is_page(request):
            parts.replace = {**settings.ADMIN_POLICY, **(parts.replace or {})}
        return parts
