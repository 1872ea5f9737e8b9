"""What a person may do in the admin: a button, a form, and one call of a service."""

from collections.abc import Callable
from typing import Any, TypeVar
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import site
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import money
from coruscant.errors import DomainError

_View = TypeVar("_View", bound=Callable[..., HttpResponse])


class AmountFormField(forms.CharField):
    """A positive amount typed by a person, in units of Beskar or GC, read exactly."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        """The Decimal. Refuses what the API refuses, with a ValidationError."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return money.parse_amount(text)
        except money.NotAnAmount as error:
            raise ValidationError(f"The figure {error}.") from None


class RequestForm(forms.Form):
    """The form of a command that has a requestId of its own: sent twice, it takes effect once."""

    request_id = forms.CharField(
        label="Request id",
        max_length=128,
        initial=lambda: f"admin-{uuid4()}",
        help_text="Made for this form: if it is sent twice, it takes effect once.",
        widget=UnfoldAdminTextInputWidget({"readonly": "readonly"}),
    )


def command_button(
    description: str, *, icon: str, permission: str, kind: ActionVariant = ActionVariant.PRIMARY
) -> Callable[[_View], _View]:
    """Make a method of an admin class a button, for those whom its `has_<permission>_permission` lets in."""
    path = description.lower().replace(" ", "-")
    decorate: Callable[[_View], _View] = action(
        description=description, icon=icon, variant=kind, permissions=[permission], url_path=path
    )
    return decorate


def command_page(
    request: HttpRequest, form: forms.Form, run: Callable[[dict[str, Any]], str], *, back: str, **context: Any
) -> HttpResponse:
    """Show the form of a command; once it is sent and valid, `run` it with the cleaned data and redirect to `back`.

    `run` returns one sentence that says what was done. If it raises a DomainError, nothing was changed: the error
    is shown as a message above the form. `context` gives the page's `title`, `explanation` and `submit_text`.
    """
    if request.method == "POST" and form.is_valid():
        try:
            messages.success(request, run(form.cleaned_data))
        except DomainError as error:
            messages.error(request, str(error))
        else:
            return HttpResponseRedirect(back)
    page = {**site.each_context(request), "form": form, "back": back, **context}
    return TemplateResponse(request, "coruscant_admin/command.html", page)
