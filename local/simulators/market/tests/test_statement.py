import csv
import io
import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from local.simulators.market.statement import as_csv, as_json_lines, read_since
from local.simulators.market.tests.orders import sell, sell_at_black_spire
from local.simulators.market.wire import Trade
from local.simulators.testing import running_market

AT = datetime(2026, 2, 3, 4, 5, 6, tzinfo=UTC)
TRADES = [
    Trade("o1", "r1", Decimal(40), Decimal("39.50"), Decimal("1974.000000000001"), AT),
    Trade("o2", 'a "b", c', Decimal(40), Decimal("1E-8"), Decimal("1E+3"), AT + timedelta(microseconds=7)),
]


def test_a_statement_is_exact_to_the_last_digit() -> None:
    assert as_csv(TRADES) == (
        "requestId,units,proceeds,time\n"
        "r1,39.5,1974.000000000001,2026-02-03T04:05:06.000000Z\n"
        '"a ""b"", c",0.00000001,1000,2026-02-03T04:05:06.000007Z\n'
    )


def test_json_lines_say_the_same_as_csv() -> None:
    rows = [json.loads(line) for line in as_json_lines(TRADES).splitlines()]
    assert rows == list(csv.DictReader(io.StringIO(as_csv(TRADES))))
    assert rows[0]["proceeds"] == "1974.000000000001"


def test_without_trades_there_is_only_the_header() -> None:
    assert as_csv([]) == "requestId,units,proceeds,time\n"
    assert as_json_lines([]) == ""


def test_since_is_an_instant_with_an_offset() -> None:
    assert read_since(None) is None
    assert read_since("2026-02-03T04:05:06Z") == AT
    assert read_since("2026-02-03T06:05:06 02:00") == AT.astimezone(timezone(timedelta(hours=2)))


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-03T04:05:06", "1770091506"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read_since(text)


def test_every_trade_stands_there_once_and_no_refused_order_does() -> None:
    with running_market("mos_espa", price="50") as market:
        market.next_faults(["refusal", "dropped_before_trading", "refusal_after_trading", None, None, "traded_nothing"])
        sell(market, "refused")
        with pytest.raises(OSError, match=r".+"):
            sell(market, "dropped")
        for name in ("hidden", "hidden", "plain", "nothing"):
            sell(market, name, "40.5")
        rows = list(csv.DictReader(io.StringIO(market.statement())))
    assert [(row["requestId"], row["units"], row["proceeds"]) for row in rows] == [
        ("hidden", "40.5", "2025"),
        ("plain", "40.5", "2025"),
    ]


def test_a_statement_begins_with_the_first_trade_since_the_instant() -> None:
    with running_market("black_spire_outpost", price="50") as market:
        sell_at_black_spire(market, "r1")
        sell_at_black_spire(market, "r2", "0.00000001")
        later = market.orders("r2")[0]["tradedAt"]
        (row,) = [json.loads(line) for line in market.statement(later, "jsonl").splitlines()]
        assert (row["requestId"], row["units"], row["proceeds"]) == ("r2", "0.00000001", "0.0000005")
        assert len(market.statement().splitlines()) == 3
        assert market.statement("2999-01-01T00:00:00Z") == "requestId,units,proceeds,time\n"


@pytest.mark.parametrize(("since", "form"), [("never", "csv"), (None, "pdf")])
def test_a_statement_that_cannot_be_made_is_refused(since: str | None, form: str) -> None:
    with running_market("mos_espa") as market, pytest.raises(ValueError, match="error"):
        market.statement(since, form)
