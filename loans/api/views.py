"""The calls of the API: each parses, makes one call of a service or selector, and answers."""

from collections.abc import Callable
from functools import cached_property
from typing import Any, ClassVar

import structlog
from django.http import HttpRequest, HttpResponse
from rest_framework import serializers
from rest_framework.exceptions import Throttled
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from coruscant import history
from loans import applications, idempotency, postings, selectors
from loans.api import schema
from loans.api.authentication import is_person, only_of
from loans.api.pagination import LoanPagination
from loans.api.parsers import take_chunked_body
from loans.api.serializers import CollateralTopUpSerializer, LoanApplicationSerializer, LoanFiltersSerializer, id_fault
from loans.api.throttles import ClientThrottle
from loans.idempotency import Accepted
from loans.models import AcceptedRequest

_ANONYMOUS = "anonymous client"


class AcceptingView(APIView):
    """A call that takes effect once for its requestId: 202 with the loan, and the same bytes for a repetition."""

    serializer_class: ClassVar[type[serializers.Serializer[Any]]]
    endpoint: ClassVar[AcceptedRequest.Endpoint]

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        take_chunked_body(request)
        return super().initialize_request(request, *args, **kwargs)

    def act_for(self, request: Request) -> Callable[..., Accepted]:
        """The service for whoever calls."""
        raise NotImplementedError

    @cached_property
    def throttle(self) -> ClientThrottle:
        """That of this call."""
        return ClientThrottle()

    def get_throttles(self) -> list[BaseThrottle]:
        return [self.throttle]

    def check_throttles(self, request: Request) -> None:
        """Refuse a call beyond the limit, unless it repeats one that was accepted, which is answered as ever."""
        try:
            super().check_throttles(request)
        except Throttled:
            if not self._is_repetition(request):
                raise

    def _is_repetition(self, request: Request) -> bool:
        serializer = self.serializer_class(data=request.data)
        if not serializer.is_valid():
            return False
        sent = {"client": request.user.get_username(), **serializer.validated_data}
        return idempotency.replay(idempotency.Request(endpoint=self.endpoint, **sent)) is not None

    def accept(self, request: Request) -> HttpResponse:
        """Validate the body and act on it, as the caller: history names it."""
        _bind_ids(request.data)
        serializer = self.serializer_class(data=request.data)
        serializer.is_valid(raise_exception=True)
        client = request.user.get_username()
        with history.acting_as(client or _ANONYMOUS, request.user.pk if client else None):
            accepted = self.act_for(request)(client=client, **serializer.validated_data)
        headers = {}
        if accepted.replayed:
            self.throttle.give_back()
            headers["Idempotency-Replayed"] = "true"
        return HttpResponse(accepted.body, status=202, content_type="application/json", headers=headers)


def _bind_ids(body: Any) -> None:
    """Log the requestId and the loanId, if they are valid, with every event until the request's middleware ends."""
    named = {"request_id": body.get("requestId"), "loan_id": body.get("loanId")}
    structlog.contextvars.bind_contextvars(**{key: value for key, value in named.items() if id_fault(value) is None})


class LoanApplications(AcceptingView):
    """Applications for loans."""

    permission_needed = "loans.add_loan"
    serializer_class = LoanApplicationSerializer
    endpoint = AcceptedRequest.Endpoint.LOAN_APPLICATIONS

    def act_for(self, request: Request) -> Callable[..., Accepted]:
        return applications.apply_for_loan

    @schema.application
    def post(self, request: Request) -> HttpResponse:
        """Open a new loan, without collateral. It becomes active by itself once the collateral is complete."""
        return self.accept(request)


class CollateralTopUps(AcceptingView):
    """Postings of collateral."""

    permission_needed = "loans.add_collateralposting"
    serializer_class = CollateralTopUpSerializer
    endpoint = AcceptedRequest.Endpoint.COLLATERAL_TOP_UPS

    def act_for(self, request: Request) -> Callable[..., Accepted]:
        if is_person(request):
            return postings.post_by_hand
        return postings.post_collateral if only_of(request) is None else postings.post_to_own_loan

    @schema.top_up
    def post(self, request: Request) -> HttpResponse:
        """Add units of Beskar to a loan's collateral. A new loan that reaches the activation LTV becomes active."""
        return self.accept(request)


class LoanList(APIView):
    """All loans."""

    permission_needed = "loans.view_loan"

    @schema.loan_list
    def get(self, request: Request) -> Response:
        """A page of loans, newest first, of one status or one borrower if asked for."""
        filters = LoanFiltersSerializer(data=request.query_params.dict())
        filters.is_valid(raise_exception=True)
        pages = LoanPagination()
        found = selectors.loans(only_of(request), **filters.validated_data)
        page = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(selectors.represented(page))


class LoanDetail(APIView):
    """One loan."""

    permission_needed = "loans.view_loan"

    @schema.loan_detail
    def get(self, request: Request, loanId: str) -> Response:  # noqa: N803  (the name in the schema)
        """The loan as it is now, with its figures at the best price, its terms and its newest postings."""
        return Response(selectors.in_detail(selectors.loan_at(loanId, only_of(request))))
