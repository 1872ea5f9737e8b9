"""The API's paths: without a prefix, each with and without a trailing slash."""

from typing import Any

from django.urls import URLPattern, path, register_converter
from django.urls.converters import StringConverter
from rest_framework.views import APIView

from coruscant.text import is_storable
from loans.api import views


class LoanIdConverter(StringConverter):
    """Any text, slashes and line breaks too; what no loanId can hold leads to 404."""

    regex = r"[\s\S]+"

    def to_python(self, value: str) -> str:
        if not is_storable(value):
            raise ValueError("a loanId must be text that can be stored")
        return value


register_converter(LoanIdConverter, "loan_id")


def _both(route: str, view: type[APIView]) -> list[URLPattern]:
    """The route without and with a trailing slash; only the first is in the schema."""
    undocumented: dict[str, Any] = {"schema": None}
    return [path(route, view.as_view(), name=route), path(f"{route}/", view.as_view(**undocumented))]


urlpatterns = [
    *_both("loan-applications", views.LoanApplications),
    *_both("collateral-top-ups", views.CollateralTopUps),
    *_both("loans", views.LoanList),
    path("loans/<loan_id:loanId>", views.LoanDetail.as_view(), name="loan"),
]
