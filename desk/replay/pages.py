"""The pages of policy replays: a list with a form to ask for one, one replay, and its differences as a file."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import reverse
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import clock, money
from coruscant.admin import export
from coruscant.admin.columns import Export
from coruscant.admin.commands import AmountFormField
from coruscant.errors import DomainError
from desk.overview.charts import Mark, PriceChart, price_chart
from desk.page import DeskPage
from desk.replay import service, words
from desk.replay.models import NAMES, PolicyReplay

#: Replays on the list, and marks on a chart: those with the most owed.
_SHOWN: Final = 50
_KINDS: Final = (
    ("sold", "Sold"),
    ("called", "Called"),
)
_PLACES: Final = {
    "onlyReplay": "only in the replay",
    "onlyReality": "only in reality",
    "otherInstant": "in both, at another instant",
}


class _Instant(forms.DateTimeField):
    """An instant in UTC, to the second."""

    widget = UnfoldAdminTextInputWidget({"type": "datetime-local", "step": "1"})


class ReplayForm(forms.Form):
    """What a person asks for: all in percent, since that is how people name it."""

    start = _Instant(label="From (UTC)")
    end = _Instant(label="To (UTC)")
    liquidation_ltv = AmountFormField(label="Liquidation LTV, %", required=False)
    margin_call_ltv = AmountFormField(label="Margin call LTV, %", required=False)
    margin_call_clear_ltv = AmountFormField(
        label="Clearing LTV, %", required=False, help_text="Where none is given, each loan keeps that of its own terms."
    )
    guard_jump = AmountFormField(label="Jumps held from, %", required=False)
    guard_agreement = AmountFormField(
        label="Jumps confirmed within, %", required=False, help_text="Where neither is given, the guard is as it was."
    )

    @property
    def named(self) -> dict[str, Decimal]:
        """What is given, as ratios."""
        with money.exact():
            return {name: ltv / 100 for name in NAMES if (ltv := self.cleaned_data[name]) is not None}


class Replays(DeskPage):
    """The replays that people have asked for, and a form for whoever may ask."""

    title = "Policy replay"
    template_name = "desk/replay/index.html"
    permission_required = "desk.view_policyreplay"

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """The newest replays first; the form begins with the last day."""
        now = clock.now().replace(microsecond=0)
        initial = {"start": _typed(now - timedelta(days=1)), "end": _typed(now)}
        found = PolicyReplay.objects.defer("result")[:_SHOWN]
        return super().get_context_data(
            now=now,
            replays=[(one, words.terms(one.named)) for one in found],
            **{"form": ReplayForm(initial=initial)} | context,
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        """Ask for a replay."""
        if not request.user.has_perm("desk.add_policyreplay"):
            raise PermissionDenied
        form = ReplayForm(request.POST)
        if form.is_valid():
            start, end = form.cleaned_data["start"], form.cleaned_data["end"]
            try:
                asked = service.ask(start, end, form.named, asked_by=request.user.get_username())
            except DomainError as error:
                messages.error(request, str(error))
            else:
                return HttpResponseRedirect(reverse("desk:replay-detail", args=(asked.pk,)))
        return self.render_to_response(self.get_context_data(form=form))


class Replay(DeskPage):
    """One replay: asks for itself again until it is done."""

    template_name = "desk/replay/detail.html"
    permission_required = "desk.view_policyreplay"

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """The page; for its own question whether it is done, nothing but that."""
        found = get_object_or_404(PolicyReplay, pk=kwargs["pk"])
        waits = found.status == PolicyReplay.Status.WAITING
        if request.headers.get("HX-Request"):
            return HttpResponse(headers={} if waits else {"HX-Refresh": "true"}, status=204 if waits else 200)
        return self.render_to_response(self.get_context_data(replay=found, waits=waits))

    def get_context_data(self, **context: Any) -> dict[str, Any]:
        """What was asked, and what came out if it is done."""
        replay: PolicyReplay = context["replay"]
        return super().get_context_data(
            **context | {"title": str(replay).capitalize(), "terms": words.terms(replay.named), "now": clock.now()},
            **_found(replay.result) if replay.result else {},
        )


def differences_csv(request: HttpRequest, pk: int) -> HttpResponseBase:
    """The differences of a replay as a file, exactly."""
    if not request.user.has_perm("desk.view_policyreplay"):
        raise PermissionDenied
    found = get_object_or_404(PolicyReplay, pk=pk, result__isnull=False)
    export.told(request, f"desk.policyreplay {pk}")
    disposition = {"Content-Disposition": f'attachment; filename="replay-{pk}.csv"'}
    lines = export.write(_COLUMNS, _rows(found.result))
    return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8", headers=disposition)


def _rows(result: Any) -> Iterator[dict[str, Any]]:
    for kind, _title in _KINDS:
        yield from result["differences"][kind]


def _column(where: str, name: str) -> Export:
    return Export(f"{name} in {where}", lambda row: (row[where] or {}).get(name))


_COLUMNS: Final = [
    Export("loan", lambda row: row["loanId"]),
    Export("what", lambda row: row["kind"]),
    Export("where", lambda row: _PLACES[row["where"]]),
    *(
        _column(where, name)
        for where in ("reality", "replay")
        for name in ("at", "price", "owed", "collateral", "clearedAt")
    ),
]


def _found(result: dict[str, Any]) -> dict[str, Any]:
    """What the page shows of a result."""
    return {
        "sentences": words.sentences(result),
        "tables": [_table(result, kind, title) for kind, title in _KINDS],
        "chart": _chart(result),
        "seconds": result["seconds"],
    }


def _table(result: dict[str, Any], kind: str, title: str) -> dict[str, Any]:
    totals, rows = result["totals"][kind], result["differences"][kind]
    differing = sum(totals[where]["loans"] for where in _PLACES)
    return {
        "kind": kind,
        "title": title,
        "totals": [
            (name, totals[where]["loans"], Decimal(totals[where]["owed"]))
            for where, name in {"same": "in both, at the same instant", **_PLACES}.items()
        ],
        "rows": [_shown(row) for row in rows[:_SHOWN]],
        "shown": min(differing, _SHOWN),
        "differing": differing,
        "in_file": len(rows),
    }


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    step = row["replay"] or row["reality"]
    return {
        "loan_id": row["loanId"],
        "page": reverse("admin:loans_loan_change", args=(row["loan"],)),
        "place": _PLACES[row["where"]],
        "reality": _read(row["reality"]),
        "replay": _read(row["replay"]),
        "owed": Decimal(step["owed"]),
        "collateral": Decimal(step["collateral"]),
    }


def _read(step: dict[str, Any] | None) -> dict[str, Any]:
    if step is None:
        return {"at": None, "price": None}
    return {"at": datetime.fromisoformat(step["at"]), "price": Decimal(step["price"])}


def _chart(result: dict[str, Any]) -> tuple[PriceChart, list[tuple[str, Mark]]] | None:
    """The best price, and where loans were sold in one of the two alone."""
    prices = [(datetime.fromisoformat(at), Decimal(price)) for at, price in result["prices"]]
    # The interval from end to end, though there may have been no price at either.
    points = [(datetime.fromisoformat(result["from"]), None), *prices, (datetime.fromisoformat(result["to"]), None)]
    alone = [row for row in result["differences"]["sold"] if row["where"] != "otherInstant"][:_SHOWN]
    steps = [(row["where"], row["loanId"], _read(row["reality"] or row["replay"])) for row in alone]
    marks = [(step["at"], step["price"], f"{loan_id}, {_PLACES[where]}") for where, loan_id, step in steps]
    chart = price_chart({"best price": points}, marks)
    if chart is None:
        return None
    return chart, list(zip([where for where, *_rest in steps], chart.marks, strict=True))


def _typed(instant: datetime) -> str:
    return f"{instant:%Y-%m-%dT%H:%M:%S}"
