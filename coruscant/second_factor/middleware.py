"""A session without the second factor that it is asked for is nobody's."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse

from coruscant.second_factor import factors
from coruscant.web.problems import is_page

#: All that can be done until then.
_PAGES = ("second_factor:show", "second_factor:enrol", "admin:logout")


class SecondFactorMiddleware:
    """Leads to the page that asks for it whoever opens a page of the admin, and hides the person from all else.

    So whatever looks at `request.user`, the API included, sees nobody. After OTPMiddleware, which finds what the
    session has shown.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        """As any middleware."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Let through whoever has shown it, or is not asked."""
        if settings.SESSION_COOKIE_NAME not in request.COOKIES:
            return self.get_response(request)
        user: Any = request.user
        if not user.is_authenticated or user.is_verified():
            return self.get_response(request)
        enrolled = factors.has_one(user)
        if not (enrolled or factors.must_have_one(user)) or request.path_info in map(reverse, _PAGES):
            return self.get_response(request)
        request.user = AnonymousUser()
        if not is_page(request):
            return self.get_response(request)
        page = reverse("second_factor:show" if enrolled else "second_factor:enrol")
        return redirect(f"{page}?{urlencode({'next': request.get_full_path()})}" if request.method == "GET" else page)
