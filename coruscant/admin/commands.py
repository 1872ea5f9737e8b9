"""What a person may do in the admin: a button, a form, and one call of a service."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import site
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import history, money
from coruscant.errors import DomainError


class AmountFormField(forms.CharField):
    """A positive amount typed by a person, in units of Beskar or GC, read exactly."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        """The Decimal. Refuses what the API refuses, with a ValidationError."""
        text = super().to_python(value)
        try:
            return money.parse_amount(text) if text else None
        except money.NotAnAmount as error:
            raise ValidationError(f"The figure {error}.") from None


def command_button(
    description: str, *, icon: str, permission: str, kind: ActionVariant = ActionVariant.PRIMARY
) -> Callable[[Callable[..., HttpResponse]], Any]:
    """Make a method of an admin class a button, for those whom its `has_<permission>_permission` lets in."""
    path = description.lower().replace(" ", "-")
    return action(  # type: ignore[no-any-return]
        description=description, icon=icon, variant=kind, permissions=[permission], url_path=path
    )


def command_page(
    request: HttpRequest, form: forms.Form, run: Callable[..., str], *, back: str, **context: Any
) -> HttpResponse:
    """Show the form of a command; once it is sent and valid, `run` it with the cleaned data and redirect to `back`.

    It runs under the person's name and returns one sentence that says what was done. If it raises a DomainError,
    nothing was changed: the error is shown as a message above the form. `context` gives the page's `title`,
    `explanation` and `submit_text`.
    """
    if request.method == "POST" and form.is_valid():
        try:
            with history.acting_as(request.user.get_username(), request.user.pk):
                messages.success(request, run(**form.cleaned_data))
        except DomainError as error:
            messages.error(request, str(error))
        else:
            return HttpResponseRedirect(back)
    page = {**site.each_context(request), "form": form, "back": back, **context}
    return TemplateResponse(request, "coruscant_admin/command.html", page)
