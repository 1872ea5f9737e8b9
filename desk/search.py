"""Search from anywhere (Ctrl-K): ids of the bank's rows, looked up in indexes, and pages of the side bar.

In place of Unfold's own search, which scans tables and shows for five minutes what it once found.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.admin import site
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from unfold.dataclasses import SearchResult

from coruscant.admin.figures import instant, page_of
from desk.navigation import sidebar
from liquidation.models import LiquidationEvent, TradeOrder
from loans.events.models import LoanEvent
from loans.models import AcceptedRequest, Loan
from pricing.markets import Market
from pricing.models import PriceQuote

#: Of each kind, so that one does not hide the others.
MOST = 10
_LONGEST_ID = 400


def _loans(term: str) -> Iterator[SearchResult]:
    for loan in Loan.objects.filter(loan_id__startswith=term).order_by("loan_id")[:MOST]:
        yield SearchResult(loan.loan_id, f"Loan of {loan.borrower_id}, {loan.status}", page_of(loan), "account_balance")


def _borrowers(term: str) -> Iterator[SearchResult]:
    for loan in Loan.objects.filter(borrower_id__startswith=term).order_by("borrower_id", "-id")[:MOST]:
        yield SearchResult(loan.borrower_id, f"Borrower of loan {loan.loan_id}", page_of(loan), "person")


def _requests(term: str) -> Iterator[SearchResult]:
    for request in AcceptedRequest.objects.filter(request_id=term).select_related("loan")[:MOST]:
        said = f"Request of {instant(request.created_at)} for loan {request.loan}: {request.get_endpoint_display()}"
        yield SearchResult(request.request_id, said, page_of(request.loan), "input")


def _orders(term: str) -> Iterator[SearchResult]:
    # The index of the markets' own ids has no empty ones.
    of_market = Q(venue_order_id=term) & ~Q(venue_order_id="")
    found = TradeOrder.objects.select_related("liquidation__loan")
    for wanted in (Q(request_id__startswith=term), of_market):
        for order in found.filter(wanted).order_by("request_id")[:MOST]:
            said = f"Order to {order.get_market_display()} for loan {order.liquidation.loan}, {order.status}"
            name = order.request_id if order.request_id.startswith(term) else order.venue_order_id
            yield SearchResult(name, said, page_of(order), "swap_horiz")


def _loan_events(term: str) -> Iterator[SearchResult]:
    for event in LoanEvent.objects.filter(event_id__in=_uuid(term)).select_related("loan")[:MOST]:
        said = f"Event of loan {event.loan}: {event.get_event_type_display()}"
        yield SearchResult(str(event.event_id), said, page_of(event), "outgoing_mail")


def _liquidation_events(term: str) -> Iterator[SearchResult]:
    for event in LiquidationEvent.objects.filter(event_id__in=_uuid(term)).select_related("liquidation__loan"):
        said = f"Event of the liquidation of loan {event.liquidation.loan}"
        yield SearchResult(str(event.event_id), said, page_of(event), "campaign")


def _quotes(term: str) -> Iterator[SearchResult]:
    of_markets = PriceQuote.objects.filter(market__in=list(Market))
    for wanted in (Q(event_id=term), Q(message_id=term)):
        for quote in of_markets.filter(wanted).order_by("market")[:MOST]:
            yield SearchResult(term, f"Price event: {quote}", page_of(quote), "show_chart")


def _uuid(term: str) -> list[UUID]:
    try:
        return [UUID(term)]
    except ValueError:
        return []


@dataclass(frozen=True, slots=True)
class _Kind:
    """Ids of one kind, and the permission that their pages ask for."""

    find: Callable[[str], Iterable[SearchResult]]
    permission: str


_KINDS = (
    _Kind(_loans, "loans.view_loan"),
    _Kind(_borrowers, "loans.view_loan"),
    _Kind(_requests, "loans.view_loan"),
    _Kind(_orders, "liquidation.view_tradeorder"),
    _Kind(_loan_events, "loans.view_loanevent"),
    _Kind(_liquidation_events, "liquidation.view_liquidationevent"),
    _Kind(_quotes, "pricing.view_pricequote"),
)


def find(request: HttpRequest, term: str) -> list[SearchResult]:
    """What fits and this person may see: pages by a part of their title, ids by all of them or their beginning."""
    return [*_pages(request, term), *_rows(request, term)]


def _pages(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    for group in sidebar(request):
        for item in group["items"]:
            if term.lower() in item["title"].lower():
                yield SearchResult(item["title"], group["title"], item["link"], item["icon"])


def _rows(request: HttpRequest, term: str) -> Iterator[SearchResult]:
    for kind in _KINDS:
        if request.user.has_perm(kind.permission):
            yield from kind.find(term)


def search(request: HttpRequest) -> HttpResponse:
    """The results as a part of the page that asked for them: of the palette, or of the search field of the side bar."""
    began = time.monotonic()
    term = request.GET.get("s", "").replace("\0", "").strip()[:_LONGEST_ID]
    if not term:
        return HttpResponse()
    results = find(request, term)
    context: dict[str, Any] = {
        "results": results, "page_obj": {"count": len(results)}, "page_counter": 0,
        "execution_time": time.monotonic() - began, "command_show_history": False,
    }  # fmt: skip
    part = "command_results" if "extended" in request.GET else "search_results"
    return TemplateResponse(request, f"unfold/helpers/{part}.html", context, headers={"HX-Trigger": "search"})


urlpatterns = [path("", site.admin_view(search))]
