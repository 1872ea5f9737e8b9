"""The live view with nothing, little and much to show."""

from dataclasses import replace
from decimal import Decimal
from io import StringIO

import pytest
from rich.console import Console

from local.demo.books import Figures, Quote
from local.demo.said import Said
from local.demo.view import ViewState, doubts, progress_line, render

BUSY = ViewState(
    elapsed=41.3,
    phase="crash",
    figures=Figures(
        quotes={"mos_espa": Quote(Decimal("49.126"), 1.2), "black_spire_outpost": Quote(Decimal("50.1"), 75.0)},
        loans={"active": 340, "liquidated": 55},
        buckets=(120, 130, 60, 30, 2),
        latest=(
            {
                "loan_id": "4f3e2d1c-aaaa-bbbb",
                "status": "settled",
                "sold": Decimal("12.123456789"),
                "proceeds": Decimal("123456.789"),
                "left_over": Decimal("3.4"),
                "owed": Decimal(0),
                "age": 4.2,
            },
        ),
        orders={("mos_espa", "filled"): 40, ("black_spire_outpost", "filled"): 2},
        sums={"events_sent": 55, "open_margin_calls": 7, "waiting": 1},
    ),
    events_received=54,
    processes=9,
    restarts={"worker-sales-1": 1},
    links=[("Admin", "http://localhost:4000/admin/")],
    notes=["20 s: the price falls by half"],
)


def text_of(state: ViewState, width: int) -> str:
    output = StringIO()
    Console(file=output, width=width).print(render(state))
    return output.getvalue()


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_view_with_nothing_to_show_can_be_drawn(width: int) -> None:
    assert "none" in text_of(ViewState(), width)
    assert "Mos Espa none" in progress_line(ViewState())


def test_figures_are_shown_rounded() -> None:
    text = text_of(BUSY, 80)
    for part in (
        "49.13",
        "123,456.79",
        "12.12",
        "4f3e2d1c",
        "55 liquidation events published, 54 received",
        "worker-sales-1 1",
    ):
        assert part in text


def test_what_the_service_says_is_shown() -> None:
    said = Said(best=Decimal("31.2"), disputed=True, suspect=("mos_espa",), controls=("pause_claims",), spared=9)
    words = ("prices disputed", "Mos Espa suspect", "claims paused")
    assert doubts(said) == words
    state = replace(BUSY, said=said)
    for part in (", ".join(words), "31.20", "spared by a pause"):
        assert part in text_of(state, 80)
    assert progress_line(state).count(", ".join(words)) == 1
    assert "spared" not in text_of(BUSY, 80)


def test_progress_is_one_line() -> None:
    line = progress_line(BUSY)
    assert "\n" not in line
    assert "filled 42" in line
    assert "sent 55 received 54" in line
    assert "restarted: worker-sales-1" in line
