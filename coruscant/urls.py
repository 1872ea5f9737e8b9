"""Every path the service answers."""

from axes.decorators import axes_dispatch
from django.contrib import admin
from django.urls import include, path, re_path
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularRedocView, SpectacularSwaggerSplitView

from coruscant.web import health, problems
from coruscant.web.flower import may_see_flower
from coruscant.web.schema import schema
from liquidation.monitoring.business import business
from liquidation.monitoring.metrics import metrics_view

urlpatterns = [
    path("", include("loans.api.urls")),  # first, as these are called most
    path("admin/desk/", include("desk.urls")),
    path("admin/search/", include("desk.search")),  # in place of the admin's own
    path("admin/second-factor/", include("coruscant.second_factor.urls")),
    path("admin/login/", axes_dispatch(admin.site.login)),  # a locked name costs one statement and no page
    path("admin/", admin.site.urls),
    path("admin", RedirectView.as_view(pattern_name="admin:index")),
    path("", RedirectView.as_view(url="/docs")),
    re_path(r"^health/live/?\Z", health.live, name="live"),
    re_path(r"^health/ready/?\Z", health.ready, name="ready"),
    re_path(r"^health/business/?\Z", business, name="business"),
    re_path(r"^metrics/?\Z", metrics_view, name="metrics"),
    path("may-see-flower", may_see_flower),
    re_path(r"^schema/?\Z", csrf_exempt(schema), name="schema"),
    re_path(r"^docs/?\Z", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    re_path(
        r"^redoc/?\Z",
        SpectacularRedocView.as_view(url_name="schema", template_name="coruscant_admin/redoc.html"),
        name="redoc",
    ),
    # A route of its own, so that an unknown path is a problem+json while debugging, too.
    re_path(r"^", csrf_exempt(problems.not_found)),
]

handler400 = "coruscant.web.problems.bad_request"
handler403 = "coruscant.web.problems.permission_denied"
handler404 = "coruscant.web.problems.not_found"
handler500 = "coruscant.web.problems.server_error"
