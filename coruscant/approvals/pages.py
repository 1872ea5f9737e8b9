"""For the pages of commands that may need a second person: the field for the reason, and the asking."""

from django import forms
from django.http import HttpRequest
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant.approvals.arguments import Arguments
from coruscant.approvals.ask import ask
from coruscant.approvals.people import logged_in


def why_field() -> forms.CharField:
    """The reason, for the second person if one is needed."""
    return forms.CharField(
        label="Why",
        required=False,
        max_length=1000,
        help_text="How you know. Needed if a second person has to agree, who reads it",
        widget=UnfoldAdminTextInputWidget,
    )


class WhyForm(forms.Form):
    """A command that takes nothing but the reason for it."""

    why = why_field()


def ask_on_page(request: HttpRequest, name: str, arguments: Arguments, why: str) -> str:
    """Ask for an action in the name of whoever is logged in; returns a sentence for them.

    Raises as `ask`, and LogInNeeded.
    """
    approval = ask(name, arguments, why=why, asked_by=logged_in(request))
    return f"Nothing is done yet: somebody else has to agree. It waits as approval {approval}."
