"""The table says what was lost, for how long nothing was possible, and whether that is as promised."""

from io import StringIO

from rich.console import Console

from proofs.failover.outcome import Outcome, longest_gap, table


def test_a_row_says_what_was_lost_and_what_is_broken():
    good = Outcome(
        "good", trades=9, requests=5, requests_lost=2, seconds_without_request=8.04, seconds_without_claim=71.26
    )
    good.operator, good.found = ["promoted it"], ["all sold once"]
    bad = Outcome("bad", trades=9, trades_lost=4, complaints=["sold twice: L1\nlogs", "an order was sent"])
    console = Console(width=400, file=StringIO())
    console.print(table([good, bad]))
    first, second = [line.split("  ") for line in console.file.getvalue().splitlines() if " of 9 trades" in line]
    cells = [[cell.strip() for cell in row if cell.strip()] for row in (first, second)]
    assert cells[0] == [
        "good", "0 of 9 trades that the markets had made, 2 of 5 requests that were answered", "8.0 s", "71.3 s",
        "promoted it", "ok: all sold once",
    ]  # fmt: skip
    assert cells[1][2:] == ["never again", "never again", "BROKEN: sold twice: L1; an order was sent"]


def test_a_gap_ends_with_the_first_instant_after_the_database_is_back():
    assert longest_gap(10, 20, [9, 25, 40]) == 15
    assert longest_gap(10, 20, [9, 13, 19, 21, 40]) == 6
    assert longest_gap(10, 20, [9, 13]) is None
