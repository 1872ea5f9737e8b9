"""The bare project's one view."""

from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Insert(APIView):
    """One insert for each call."""

    def post(self, request: Request) -> Response:
        """Insert the body's fields, and answer with them."""
        sent: dict[str, str] = dict(request.data)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO benchmark_posting (request_id, loan_id, amount) VALUES (%s, %s, %s)",
                [sent["requestId"], sent["loanId"], sent["amount"]],
            )
        return Response(sent, status=202)


urlpatterns = [path("collateral-top-ups", Insert.as_view())]
