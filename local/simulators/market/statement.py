"""What a market traded, as it would state it to an auditor: CSV or JSON lines, exact figures. Pure."""

import csv
import io
from collections.abc import Iterable
from datetime import datetime

from local.simulators.exact import plain, write_json
from local.simulators.market.wire import Trade

HEADER = ("requestId", "units", "proceeds", "time")


def as_csv(trades: Iterable[Trade]) -> str:
    """Return one row a trade, below a header: units, their total in GC, and an RFC 3339 time in UTC."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_row(trade) for trade in trades)
    return text.getvalue()


def as_json_lines(trades: Iterable[Trade]) -> str:
    """Return the same as one JSON object a line; the figures are strings."""
    return "".join(write_json(dict(zip(HEADER, _row(trade), strict=True))) + "\n" for trade in trades)


def read_since(text: str | None) -> datetime | None:
    """Read an RFC 3339 time; raises ValueError for anything else, and for one without its offset."""
    if text is None:
        return None
    # In a query a plus sign that is not escaped arrives as a blank.
    since = datetime.fromisoformat(text.replace(" ", "+"))
    if since.tzinfo is None:
        raise ValueError("since needs an offset from UTC, such as Z")
    return since


def _row(trade: Trade) -> tuple[str, str, str, str]:
    at = trade.traded_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    return trade.request_id, plain(trade.units), plain(trade.proceeds), at
