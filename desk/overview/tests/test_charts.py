"""Where the parts of the charts lie."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from desk.overview.charts import HEIGHT, WIDTH, bars, price_chart

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)


def at(*prices):
    return [
        (NOON + timedelta(minutes=minute), None if price is None else Decimal(price))
        for minute, price in enumerate(prices)
    ]


def test_prices_ascend_upwards_and_times_to_the_right():
    chart = price_chart({"Mos Espa": at(40, 50)}, [])
    (part,) = chart.lines[0].parts
    (x1, y1), (x2, y2) = (map(float, point.split(",")) for point in part.split())
    assert x1 < x2 == WIDTH
    assert 0 < y2 < y1 < HEIGHT
    assert [mark.text for mark in chart.grid] == ["40.00", "45.00", "50.00"]
    assert [mark.text for mark in chart.times] == ["12:00", "12:00", "12:01"]


def test_a_line_is_broken_where_there_was_no_price():
    chart = price_chart({"Mos Espa": at(40, 41, None, None, 43), "Black Spire": at(*[None] * 5)}, [])
    assert [len(part.split()) for part in chart.lines[0].parts] == [2, 1]
    assert chart.lines[1].parts == ()


def test_a_claim_below_all_prices_shown_is_within_the_chart():
    chart = price_chart({"Mos Espa": at(40, 50)}, [(NOON, Decimal(31), "61 claimed at 31.00")])
    assert 0 < chart.marks[0].y < HEIGHT
    assert chart.marks[0].y > float(chart.lines[0].parts[0].split()[0].split(",")[1])


def test_a_false_price_is_drawn_at_the_edge_and_flattens_no_other():
    chart = price_chart({"Mos Espa": at(40, 50, 5000, 42)}, [])
    places = [float(point.split(",")[1]) for point in chart.lines[0].parts[0].split()]
    assert places[2] == min(places)
    assert places[0] - places[1] > 10
    assert float(chart.grid[-1].text) < 150


def test_there_is_no_chart_without_a_price():
    assert price_chart({"Mos Espa": at(None, None)}, []) is None


def test_a_price_that_stands_still_has_a_chart():
    assert price_chart({"Mos Espa": at(50, 50)}, []).lines[0].parts


def test_bars_are_as_high_as_their_share_of_the_highest():
    low, high, none = bars([("0", 5, "safe"), ("5", 10, "safe"), ("10", 0, "sale")])
    assert (round(high.height / low.height, 1), none.height) == (2.0, 0)
    assert low.x < high.x < none.x
    assert low.y + low.height == high.y + high.height
    assert bars([]) == ()
