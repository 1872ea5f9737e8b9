"""What every admin page shares: rows that are only read, figures printed plainly, audited commands, banners.

The admin is for bank representatives. Rows of the business are never added, edited or deleted by hand: what a
person may do are commands, each a form that calls one service. The apps add their banners and dashboard cards
here, so that this module imports none of them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import uuid4

from django import forms
from django.contrib import messages
from django.contrib.admin import display, helpers, site
from django.contrib.admin.utils import flatten_fieldsets
from django.contrib.messages.storage.base import Message
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from simple_history.admin import SimpleHistoryAdmin
from simple_history.template_utils import HistoricalRecordContextHelper
from unfold.admin import ModelAdmin, TabularInline
from unfold.decorators import action
from unfold.enums import ActionVariant
from unfold.forms import AdminForm, Fieldline
from unfold.widgets import UnfoldAdminTextInputWidget

from coruscant import money
from coruscant.errors import DomainError

NOTHING = "–"

_View = TypeVar("_View", bound=Callable[..., HttpResponse])

# Unfold puts these in when a change form is first opened; a history form may be opened before that.
helpers.AdminForm = AdminForm  # type: ignore[misc]
helpers.Fieldline = Fieldline  # type: ignore[misc]


@dataclass(frozen=True, slots=True)
class Card:
    """One figure of the dashboard; `kind` colours it: danger, warning, success or empty."""

    title: str
    figure: str
    note: str = ""
    url: str = ""
    kind: str = ""


#: Each tells what must stand on top of every page now, or None.
banners: list[Callable[[HttpRequest], str | None]] = []
#: Each gives the cards of one room for the index page.
cards: list[Callable[[HttpRequest], list[Card]]] = []


class _Notices:
    """The banners in force, then the messages of this request; what the page templates iterate as `messages`."""

    def __init__(self, request: HttpRequest) -> None:
        self._request = request
        self._banners = [text for banner in banners if (text := banner(request))]

    def __bool__(self) -> bool:
        return bool(self._banners) or len(messages.get_messages(self._request)) > 0

    def __iter__(self) -> Iterator[Message]:
        for text in self._banners:
            yield Message(messages.ERROR, text, extra_tags="banner")
        yield from messages.get_messages(self._request)


def _page_context(context: dict[str, Any], request: HttpRequest) -> dict[str, Any]:
    """Add to the context of every admin page; unfold calls this hook of the site."""
    if site.has_permission(request):
        context["messages"] = _Notices(request)
        context["cards"] = lambda: [card for room in cards for card in room(request)]
    return context


site.extra_context = _page_context  # type: ignore[attr-defined]
site.index_template = "coruscant_admin/index.html"
site.index_title = "Overview"


# --- How values are shown ---------------------------------------------------------------------------------------


def figure(value: Decimal | None, unit: str = "") -> str:
    """A figure as a plain decimal with its unit."""
    return NOTHING if value is None else f"{money.decimal_string(value)} {unit}".strip()


def percent(ratio: Decimal | None) -> str:
    """A ratio in percent with two decimals, rounded down: 80.00 % is shown only when it is reached."""
    if ratio is None:
        return NOTHING
    with money.exact():
        return f"{money.round_down(ratio * 100, 2):f} %"


def instant(at: datetime | None) -> str:
    """An instant to the second, in UTC."""
    return NOTHING if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def badge(text: str, kind: str = "", title: str = "") -> SafeString:
    """A coloured label: `kind` is danger, warning, success, info, primary or empty; `title` shows on hovering."""
    label = render_to_string("unfold/helpers/label.html", {"text": text, "type": kind, "label_title": title})
    return mark_safe(label)  # noqa: S308  (rendered by a template that escapes)


def link_to(row: models.Model | None, text: str = "") -> str | SafeString:
    """A link to a row's own page."""
    if row is None:
        return NOTHING
    page = reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=(row.pk,))
    return format_html('<a class="text-link" href="{}">{}</a>', page, text or str(row))


def preformatted(text: str) -> SafeString:
    """Text as it is, line by line."""
    return format_html('<pre class="whitespace-pre-wrap break-all font-mono text-xs">{}</pre>', text)


def amount_column(field: str, unit: str, label: str) -> Any:
    """An admin column for a Decimal field."""

    @display(description=label, ordering=field)
    def column(_admin: object, row: models.Model) -> str:
        return figure(getattr(row, field), unit)

    return column


def instant_column(field: str, label: str) -> Any:
    """An admin column for a datetime field."""

    @display(description=label, ordering=field)
    def column(_admin: object, row: models.Model) -> str:
        return instant(getattr(row, field))

    return column


def status_column(kinds: dict[str, str], field: str = "status", label: str = "Status") -> Any:
    """An admin column for a choice field, as a badge coloured by value; hovering shows the choice in full."""

    @display(description=label, ordering=field)
    def column(_admin: object, row: models.Model) -> SafeString:
        value = getattr(row, field)
        return badge(str(value), kinds.get(value, ""), getattr(row, f"get_{field}_display")())

    return column


# --- Rows that are only read ------------------------------------------------------------------------------------


class _OnlyRead:
    """No adding, editing or deleting, whatever the user's permissions: those name commands here."""

    def has_add_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody adds rows by hand."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody edits rows by hand."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        """Nobody deletes rows by hand."""
        return False


class ReadOnlyAdmin(_OnlyRead, ModelAdmin):  # type: ignore[misc]
    """Pages of a table that is only read. Subclasses give `fieldsets`, whose every field is shown, not edited."""

    actions: Any = None
    list_per_page = 50
    show_full_result_count = False  # counts a big table once a page, not twice

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Everything."""
        return list(flatten_fieldsets(self.fieldsets or ()))

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; a POST, which could only be an edit or an action, is refused unless there are actions."""
        if request.method == "POST" and not self.get_actions(request):
            raise PermissionDenied
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]


class _PlainDeltas(HistoricalRecordContextHelper):  # type: ignore[misc]
    def prepare_delta_change_value(self, change: Any, value: Any) -> Any:
        found = super().prepare_delta_change_value(change, value)
        if found is None or isinstance(found, Decimal):
            return figure(found)
        return instant(found) if isinstance(found, datetime) else found


class AuditedAdmin(SimpleHistoryAdmin, ReadOnlyAdmin):  # type: ignore[misc]
    """Pages of an audited table, with its history: read, never restored."""

    object_history_list_template = "coruscant_admin/history_list.html"

    def get_historical_record_context_helper(self, request: HttpRequest, historical_record: Any) -> Any:
        """Changes of figures are printed plainly, too."""
        return _PlainDeltas(self.model, historical_record)

    def history_form_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """One version as it was. simple-history would save a POST although reverting is disabled: it is refused."""
        if request.method not in {"GET", "HEAD"}:
            raise PermissionDenied
        return super().history_form_view(request, *args, **kwargs)  # type: ignore[no-any-return]


class ReadOnlyInline(_OnlyRead, TabularInline):  # type: ignore[misc]
    """Rows of another table on a row's page, only read; `fields` are all shown, not edited."""

    extra = 0
    per_page = 20
    can_delete = False
    hide_title = True

    def get_readonly_fields(self, request: HttpRequest, obj: models.Model | None = None) -> list[Any]:
        """Everything."""
        return list(self.fields or ())


# --- Commands: forms that call one service ----------------------------------------------------------------------


class AmountField(forms.CharField):
    """A positive figure typed by a person, read exactly: units of Beskar or GC."""

    widget = UnfoldAdminTextInputWidget

    def to_python(self, value: Any) -> Any:
        """The Decimal; refuses what the API refuses."""
        text = super().to_python(value)
        if not text:
            return None
        try:
            return money.parse_amount(text)
        except money.NotAnAmount as error:
            raise ValidationError(f"The figure {error}.") from None


class RequestForm(forms.Form):
    """A command with a requestId of its own: sent twice, it takes effect once."""

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
    """Decorate a command of an admin class: a button for those whom its `has_<permission>_permission` lets in."""
    path = description.lower().replace(" ", "-")
    decorate: Callable[[_View], _View] = action(
        description=description, icon=icon, variant=kind, permissions=[permission], url_path=path
    )
    return decorate


def command_page(
    request: HttpRequest,
    form: forms.Form,
    run: Callable[[dict[str, Any]], str],
    *,
    back: str,
    **context: Any,
) -> HttpResponse:
    """Show the form of a command; sent and valid, `run` it with the cleaned data and go `back`.

    `run` returns one sentence of what was done; a DomainError is shown as a message, and nothing was changed.
    `context` gives the page's `title`, `explanation` and `submit_text`.
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
