"""A statement is read to the last character, or refused as a whole."""

import contextlib
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liquidation.reconciliation.statement import StatedTrade, StatementUnreadable, read

AT = datetime(2026, 11, 26, 10, 0, 0, 5, tzinfo=UTC)
TRADE = StatedTrade("r-1", Decimal("0.00000001"), Decimal("12345678901234567890.000000000000000000000001"), AT)
HEADER = "requestId,units,proceeds,time\n"


def test_both_forms_are_exact_to_the_last_digit():
    written = "r-1,0.00000001,12345678901234567890.000000000000000000000001,2026-11-26T10:00:00.000005Z\n"
    assert read((HEADER + written).encode()) == [TRADE]
    line = (
        '{"requestId": "r-1", "units": "0.00000001", "proceeds": 12345678901234567890.000000000000000000000001,'
        ' "time": "2026-11-26T12:00:00.000005+02:00"}\n'
    )
    assert read(line.encode()) == [TRADE]
    assert read(line.replace('"0.00000001"', "1e-8").encode()) == [TRADE]


def test_a_header_alone_is_a_statement_without_trades_and_columns_may_be_in_any_order():
    assert read(HEADER.encode()) == []
    assert read(b"\xef\xbb\xbftime,proceeds,units,requestId\r\n2026-11-26T10:00:00Z,5,2,r\r\n")[0].units == 2


def test_parts_of_one_trade_are_lines_of_one_request():
    lines = "r,1,2,2026-11-26T10:00:00Z\nr,1,2,2026-11-26T10:00:01Z\n"
    assert len(read((HEADER + lines).encode())) == 2


GOOD = "r,1,2,2026-11-26T10:00:00Z\n"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("", "empty"),
        (" \n", "empty"),
        (GOOD, "first line"),
        ("requestId,units,proceeds\nr,1,2\n", "first line"),
        (HEADER + GOOD.rstrip("\n"), "cut off"),
        (HEADER + GOOD + GOOD, "the same as line 2"),
        (HEADER + "r,1,2\n", "Line 2 has 3 fields"),
        (HEADER + "r,1,2,2026-11-26T10:00:00Z,x\n", "Line 2 has 5 fields"),
        (HEADER + "\n", "Line 2 has 0 fields"),
        (HEADER + '"r,1,2,2026-11-26T10:00:00Z\n', "not CSV"),
        (HEADER + ",1,2,2026-11-26T10:00:00Z\n", "requestId"),
        (HEADER + "r" * 129 + ",1,2,2026-11-26T10:00:00Z\n", "requestId"),
        (HEADER + "r\x00,1,2,2026-11-26T10:00:00Z\n", "requestId"),
        (HEADER + "r,0,2,2026-11-26T10:00:00Z\n", "units must be greater than zero"),
        (HEADER + "r,-1,2,2026-11-26T10:00:00Z\n", "units"),
        (HEADER + 'r,"1,000",2,2026-11-26T10:00:00Z\n', "units"),
        (HEADER + "r,1,NaN,2026-11-26T10:00:00Z\n", "proceeds"),
        (HEADER + "r,1,1e30,2026-11-26T10:00:00Z\n", "proceeds"),
        (HEADER + "r,1,2,2026-11-26T10:00:00\n", "offset"),
        (HEADER + "r,1,2,yesterday\n", "time"),
        ('{"requestId": "r", "units": "1", "proceeds": "2"}\n', "must have the fields"),
        (
            '{"requestId": "r", "units": "1", "proceeds": "2", "time": "2026-11-26T10:00:00Z", "fee": "0"}\n',
            "no others",
        ),
        ('{"requestId": "r", "units": true, "proceeds": "2", "time": "2026-11-26T10:00:00Z"}\n', "units"),
        ('{"requestId": 7, "units": "1", "proceeds": "2", "time": "2026-11-26T10:00:00Z"}\n', "requestId"),
        ('{"requestId": "r", "units": "1", "proceeds": "2", "time": 7}\n', "time"),
        ('{"requestId": "r"\n', "Line 1"),
        ('{"requestId": "r", "units": "1", "proceeds": "2", "time": "2026-11-26T10:00:00Z"}\n\n', "Line 2"),
    ],
)
def test_what_is_not_understood_is_refused_with_a_reason(content, why):
    with pytest.raises(StatementUnreadable, match=why):
        read(content.encode())


@given(st.binary(max_size=200))
def test_nothing_else_is_ever_raised(content):
    for prefix in (b"", HEADER.encode(), b"{"):
        with contextlib.suppress(StatementUnreadable):
            read(prefix + content)
