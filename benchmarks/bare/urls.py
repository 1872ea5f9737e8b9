"""The bare project's views: one insert, and one page of loans."""

from django.db import connection
from django.urls import path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView


class Insert(APIView):
    """One insert a call."""

    def post(self, request: Request) -> Response:
        """Insert the body's fields, and answer with them."""
        sent: dict[str, str] = dict(request.data)
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO benchmark_posting (request_id, loan_id, amount) VALUES (%s, %s, %s)",
                [sent["requestId"], sent["loanId"], sent["amount"]],
            )
        return Response(sent, status=202)


class Page(APIView):
    """The first 50 loans as the table has them: one statement a call, and no rule."""

    def get(self, request: Request) -> Response:
        """Read them, and answer with them."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT loan_id, borrower_id, amount, collateral, outstanding_balance, status, created_at, activated_at"
                " FROM loans_loan ORDER BY id DESC LIMIT 50"
            )
            columns = [column.name for column in cursor.description]
            return Response({"results": [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]})


urlpatterns = [path("collateral-top-ups", Insert.as_view()), path("loans", Page.as_view())]
