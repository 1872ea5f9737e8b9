"""The page of the stress test, its CSV, and the scenarios that people save there."""

import csv
from collections.abc import Callable
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import site
from django.contrib.auth.decorators import permission_required
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode

from coruscant import clock, money
from coruscant.admin import export
from coruscant.admin.commands import command_page
from coruscant.errors import DomainError
from coruscant.money import decimal_string
from desk.models import StressScenario
from desk.page import DeskPage
from desk.stress import chart, price_at_risk, report, scenarios, selectors
from desk.stress.forms import QuestionForm, ScenarioForm
from desk.stress.selectors import StressTest, stress_test

View = Callable[..., HttpResponse]

MAY_SEE, MAY_SAVE, MAY_DELETE = "desk.view_booksnapshot", "desk.add_stressscenario", "desk.delete_stressscenario"
#: Of the curve, the table shows each fifth percent.
_EACH = 5
_UNITS_OF_TIME = (("h", 3600), ("min", 60), ("s", 1))


class StressPage(DeskPage):
    """What the book would be at a price, or after a fall."""

    title = "Stress test"
    permission_required = MAY_SEE
    template_name = "desk/stress.html"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """The question, and its answer unless it is not understood or there is none."""
        form = QuestionForm(self.request.GET)
        found, why = _answer(form)
        return super().get_context_data(
            form=form,
            why=why,
            now=clock.now(),
            query=_query(**form.cleaned_data) if found else "",
            price_at_risk=price_at_risk.latest(),
            scenarios=[(one, _query(one.price, one.fall)) for one in scenarios.saved()],
            **(_shown(found) if found else {}),
            **context,
        )


def _for(permission: str) -> Callable[[View], View]:
    """A view for staff with this permission; others are asked to log in, or refused."""

    def only(view: View) -> View:
        return site.admin_view(permission_required(permission, raise_exception=True)(view))

    return only


@_for(MAY_SEE)
def stress_csv(request: HttpRequest) -> HttpResponse:
    """What was asked and the curve, every figure in full."""
    found, why = _answer(QuestionForm(request.GET))
    if found is None:
        messages.error(request, why)
        return HttpResponseRedirect(reverse("desk:stress"))
    export.told(request, "desk.stress_test")
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = 'attachment; filename="stress-test.csv"'
    csv.writer(response).writerows(report.rows(found))
    return response


@_for(MAY_SAVE)
def save_scenario(request: HttpRequest) -> HttpResponse:
    """Keep a question under a name."""

    def run(name: str, price: Decimal | None, fall: Decimal | None) -> str:
        return f"{scenarios.save(name, price=price, fall=fall, by=_person(request))} is saved."

    form = ScenarioForm(request.POST if request.method == "POST" else None, initial=request.GET.dict())
    return command_page(
        request, form, run, back=reverse("desk:stress"), title="Save scenario", submit_text="Save",
        explanation="It is kept for everybody who may see stress tests, with your name.",
    )  # fmt: skip


@_for(MAY_DELETE)
def delete_scenario(request: HttpRequest, pk: int) -> HttpResponse:
    """Delete a scenario, once the person has agreed to it."""
    scenario = get_object_or_404(StressScenario, pk=pk)

    def run() -> str:
        scenarios.delete(scenario, by=_person(request))
        return f"{scenario} is deleted."

    form = forms.Form(request.POST if request.method == "POST" else None)
    return command_page(
        request, form, run, back=reverse("desk:stress"), title="Delete scenario", submit_text="Delete",
        explanation=f"“{scenario}”, saved by {scenario.saved_by}, will be gone for everybody.",
    )  # fmt: skip


def in_words(seconds: int | None) -> str:
    """A duration in the two largest units that it has."""
    if seconds is None:
        return "not known"
    parts = []
    for unit, length in _UNITS_OF_TIME:
        if seconds >= length:
            parts.append(f"{seconds // length} {unit}")
            seconds %= length
    return " ".join(parts[:2]) or "0 s"


def _person(request: HttpRequest) -> User:
    return cast("User", request.user)  # whoever is not logged in never comes here


def _answer(form: QuestionForm) -> tuple[StressTest | None, str]:
    """The answer, or why there is none."""
    if not form.is_valid():
        return None, " ".join(str(text) for texts in form.errors.values() for text in texts)
    try:
        return stress_test(**form.cleaned_data), ""
    except DomainError as error:
        return None, str(error)


def _shown(found: StressTest) -> dict[str, Any]:
    return {
        "test": found,
        "asked": found.asked,
        "change": None if found.asked.fall is None else -found.asked.fall,
        "duration": in_words(found.seconds),
        "at_least": in_words(selectors.seconds_of_rounds(found.asked.rounds)),
        "recovery": in_words(settings.STRESS_DEPTH_RECOVERY_SECONDS),
        "riskiest": selectors.RISKIEST,
        "chart": chart.of(found.curve),
        "rows": found.curve[::_EACH],
    }


def _query(price: Decimal | None, fall: Decimal | None) -> str:
    """The part of an address that asks a question."""
    with money.exact():
        asked = {"price": price, "fall": None if fall is None else fall * 100}
    return "?" + urlencode({name: decimal_string(value) for name, value in asked.items() if value is not None})
