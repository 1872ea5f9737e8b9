"""Every path the service answers."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.http import HttpResponseBase
from django.urls import URLPattern, include, path, re_path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularRedocView, SpectacularSwaggerView

from coruscant.web import health, problems
from liquidation.metrics import metrics_view


def _both(route: str, view: Callable[..., HttpResponseBase], name: str) -> list[URLPattern]:
    """The route without and with a trailing slash."""
    return [path(route, view, name=name), path(f"{route}/", view)]


_schema: dict[str, Any] = {"url_name": "schema"}

urlpatterns = [
    path("", include("loans.api.urls")),  # first, as these are called most
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("", RedirectView.as_view(url="/docs")),
    *_both("health/live", health.live, "live"),
    *_both("health/ready", health.ready, "ready"),
    *_both("metrics", metrics_view, "metrics"),
    *_both("schema", SpectacularJSONAPIView.as_view(), "schema"),
    *_both("docs", SpectacularSwaggerView.as_view(**_schema), "docs"),
    *_both("redoc", SpectacularRedocView.as_view(**_schema), "redoc"),
    # A route of its own, so that an unknown path is a problem+json while debugging, too.
    re_path(r"^", problems.not_found),
]

handler400 = "coruscant.web.problems.bad_request"
handler403 = "coruscant.web.problems.permission_denied"
handler404 = "coruscant.web.problems.not_found"
handler500 = "coruscant.web.problems.server_error"
