"""The page on which a second person agrees or refuses."""

import json
from collections.abc import Callable, Collection
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Case, IntegerChoices, Q, QuerySet, Value, When
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.defaultfilters import linebreaksbr
from django.utils.html import format_html
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextareaWidget

from coruscant import clock
from coruscant.admin.base import AuditedAdmin
from coruscant.admin.columns import Export, column, instant_column
from coruscant.admin.commands import command_button, command_page
from coruscant.admin.figures import NOTHING, badge, page_of, preformatted
from coruscant.admin.filters import option_filter
from coruscant.admin.overview import cards, count_card
from coruscant.approvals import actions, decide, people
from coruscant.approvals.models import Approval, Outcome

cards.append(
    lambda _request: count_card(
        "Waiting for a second person",
        Approval.objects.filter(outcome=Outcome.ASKED, expires_at__gt=clock.now()),
        "Approvals",
        some="warning",
        query=f"?outcome__exact={Outcome.ASKED}",
    )
)

_KINDS = {"asked": "warning", "executed": "success", "failed": "danger"}


class Turn(IntegerChoices):
    """Whose turn it is, as one person sees it: in this order approvals are listed."""

    MINE = 0, "Waits for you"
    OTHERS = 1, "Waits for somebody else"
    NOBODYS = 2, "Decided"


_TURNS = {Turn.MINE: "warning", Turn.OTHERS: "info"}
TURNS = option_filter(
    "turn",
    "turn",
    {
        "mine": ("Waits for you", lambda rows: rows.filter(turn=Turn.MINE)),
        "waiting": ("Waits for anybody", lambda rows: rows.exclude(turn=Turn.NOBODYS)),
    },
)


def _turn(request: HttpRequest) -> Case:
    """The turn of a row: nobody's once it is decided or has expired, mine if the rules let me agree or refuse."""
    may = actions.permitted(request.user) if request.user.has_perm(people.DECIDE) else []
    waits = Q(outcome=Outcome.ASKED, expires_at__gt=clock.now())
    return Case(
        When(waits & Q(action__in=may) & ~Q(asked_by_id=request.user.pk), then=Value(Turn.MINE)),
        When(waits, then=Value(Turn.OTHERS)),
        default=Value(Turn.NOBODYS),
    )


def _state(approval: Approval) -> str:
    return badge(approval.get_outcome_display(), _KINDS.get(approval.outcome, ""))


def _state_in_list(approval: Any) -> str:
    turn = Turn(approval.turn)
    return _state(approval) if turn == Turn.NOBODYS else badge(turn.label, _TURNS[turn])


def _asker(approval: Approval) -> str:
    name = approval.asked_by_name
    return f"{name}, on the command line: no log-in proves that it was {name}" if approval.on_command_line else name


class RefusalForm(forms.Form):
    """Why not."""

    note = forms.CharField(label="Why", max_length=1000, widget=UnfoldAdminTextareaWidget)


@admin.register(Approval)
class ApprovalAdmin(AuditedAdmin):
    """All that was asked, first what whoever looks may decide, then what waits for others.

    What waits has buttons, for whoever asked to withdraw it and for others to decide it.
    """

    list_display = (
        "number", "state", "what", "would_do", "asked_by_name", "asked", "expires", "decided_by_name", "decided",
    )  # fmt: skip
    list_filter = (TURNS, "outcome", "action", "on_command_line")
    search_fields = ("asked_by_name__startswith", "decided_by_name__startswith", "effect__icontains")
    search_help_text = "The beginning of a person's name, or words of the effect"
    fieldsets = (
        (None, {"fields": (("what", "state"), "would_do", "why", "exactly")}),
        ("Asked", {"fields": (("asked_by", "asked"), "expires")}),
        ("Decided", {"fields": (("decided_by_name", "decided"), "outcome_note")}),
    )
    actions_detail = ("agree", "refuse", "withdraw")
    has_decide_permission = admin.ModelAdmin.has_change_permission

    number = column("Approval", str, "id")
    what = column("What", lambda approval: actions.title_of(approval.action), "action")
    state = column(
        "Outcome", _state, "outcome",
        short=lambda row, _listed: _state_in_list(row), export=Export("Outcome", lambda row: row.outcome),
    )  # fmt: skip
    would_do = column(
        "What will happen", lambda approval: linebreaksbr(approval.effect),
        short=lambda row, _listed: format_html('<div class="said">{}</div>', linebreaksbr(row.effect)),
        export=Export("What will happen", lambda approval: approval.effect),
    )  # fmt: skip
    exactly = column(
        "Exact arguments", lambda row: preformatted(f"{row.action}\n{json.dumps(row.arguments, indent=2)}")
    )
    asked_by = column("Asked by", _asker)
    asked = instant_column("asked_at", "Asked at")
    expires = instant_column("expires_at", "Expires")
    decided = instant_column("decided_at", "Decided at")
    outcome_note = column("Note", lambda approval: approval.note or NOTHING)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        """The approvals, each with whose turn it is."""
        return super().get_queryset(request).annotate(turn=_turn(request))  # type: ignore[no-any-return]

    def get_ordering(self, request: HttpRequest) -> Any:
        """By whose turn it is, the newest first."""
        return (_turn(request).asc(), "-id")

    @command_button("Agree", icon="check", permission="decide", kind=ActionVariant.SUCCESS)
    def agree(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Do what was asked."""
        approval = self.row_or_404(request, object_id)

        def run() -> str:
            done = decide.agree(approval.pk, request=request)
            return f"Done, in your name and that of {done.asked_by_name}. {done.note}"

        return _decision_page(
            request, approval, _no_fields(request), run, title="Agree", submit_text="Agree, and do it",
            says="It is done at once, in the name of both of you, and is kept in the history.",
        )  # fmt: skip

    @command_button("Refuse", icon="close", permission="decide", kind=ActionVariant.DANGER)
    def refuse(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Say no."""
        approval = self.row_or_404(request, object_id)

        def run(note: str) -> str:
            decide.refuse(approval.pk, request=request, note=note)
            return "Refused. Nothing was done."

        return _decision_page(
            request, approval, RefusalForm(request.POST or None), run, title="Refuse", submit_text="Refuse",
            says="Nothing is done. It can be asked again.",
        )  # fmt: skip

    @command_button("Withdraw", icon="undo", permission="view")
    def withdraw(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Take back what one has asked."""
        approval = self.row_or_404(request, object_id)

        def run() -> str:
            decide.withdraw(approval.pk, request=request)
            return "Withdrawn. Nothing was done."

        return _decision_page(
            request, approval, _no_fields(request), run, title="Withdraw", submit_text="Withdraw",
            says="Nothing is done. You can ask again.",
        )  # fmt: skip

    def commands_of(self, request: HttpRequest, row: Approval) -> Collection[str]:
        """What this person may press: nothing once it is decided."""
        if row.outcome != Outcome.ASKED:
            return ()
        return ("withdraw",) if row.asked_by_id == request.user.pk else ("agree", "refuse")


def _decision_page(
    request: HttpRequest, approval: Approval, form: forms.Form, run: Callable[..., str], *, title: str, says: str,
    submit_text: str,
) -> HttpResponse:  # fmt: skip
    """The page of a command; once the approval is decided, by whomever, back to its own page with the message."""
    page = command_page(
        request, form, run,
        back=page_of(approval), title=f"{title}: {actions.title_of(approval.action)}", submit_text=submit_text,
        explanation=format_html(
            "{}<br><br>{} asks for this, because: {}<br><br>{}",
            linebreaksbr(approval.effect), _asker(approval), approval.why, says,
        ),
    )  # fmt: skip
    if request.method == "POST" and not Approval.objects.filter(pk=approval.pk, outcome=Outcome.ASKED).exists():
        return HttpResponseRedirect(page_of(approval))
    return page


def _no_fields(request: HttpRequest) -> forms.Form:
    return forms.Form({} if request.method == "POST" else None)
