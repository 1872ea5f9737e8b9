"""Pages of loans, newest first. A cursor names the last row of a page, so every page is equally fast."""

import re
from typing import Any

from rest_framework import exceptions
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request

_COUNT = re.compile(r"[0-9]{1,9}", re.ASCII)
_POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)


class LoanPagination(CursorPagination):
    """Cursor pages on the primary key. A bad `cursor` or `pageSize` is a ValidationError; more than 200 gives 200."""

    ordering = "-id"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "pageSize"

    def get_page_size(self, request: Request) -> int:
        text = request.query_params.get("pageSize")
        if text is None:
            return self.page_size
        if not _COUNT.fullmatch(text) or int(text) == 0:
            raise exceptions.ValidationError({"pageSize": "Must be a whole number from 1 to 200."})
        return min(int(text), self.max_page_size)

    def decode_cursor(self, request: Request) -> Any:
        fault = exceptions.ValidationError({"cursor": "Must be the cursor of a page that was given out."})
        try:
            cursor = super().decode_cursor(request)
        except exceptions.NotFound:
            raise fault from None
        if cursor is not None and cursor.position is not None and not _POSITION.fullmatch(str(cursor.position)):
            raise fault
        return cursor
