"""The demo's live view, and its one-line form for where there is no terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from local.demo.books import LTV_BUCKETS, Figures, Quote
from local.demo.said import Said
from local.demo.simulators import MARKETS

LABELS = {"mos_espa": "Mos Espa", "black_spire_outpost": "Black Spire Outpost"}
STATUSES = ("new", "active", "liquidating", "liquidated")
VERDICTS = ("filled", "refused", "unknown", "unresolved")
BUCKET_STYLES = ("green", "green", "yellow", "dark_orange", "red")
BAR_WIDTH = 20


@dataclass(slots=True)
class ViewState:
    """Everything the view shows. Events are those of this run.

    `events_received` is None while OTC does not answer, and `said` while the service does not.
    """

    elapsed: float = 0.0
    phase: str = ""
    figures: Figures = field(default_factory=Figures)
    said: Said | None = None
    events_sent_before: int = 0
    events_received: int | None = None
    processes: int = 0
    restarts: Mapping[str, int] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def short(value: Decimal | None, places: str = "0.01") -> str:
    """Return a number for a person: rounded, with thousands separated."""
    return "-" if value is None else f"{value.quantize(Decimal(places), rounding=ROUND_HALF_EVEN):,}"


def progress_line(state: ViewState) -> str:
    """Return the state as one line."""
    figures = state.figures
    prices = " ".join(f"{LABELS[market]} {price_of(figures.quotes.get(market))}" for market in MARKETS)
    loans = " ".join(f"{status} {figures.loans.get(status, 0)}" for status in STATUSES)
    orders = " ".join(f"{verdict} {sum_of(figures, verdict)}" for verdict in VERDICTS)
    received = "?" if state.events_received is None else state.events_received
    events = f"sent {events_sent(state)} received {received}"
    parts = [
        f"{state.elapsed:5.0f} s {state.phase}",
        prices,
        f"loans: {loans}",
        f"orders: {orders}",
        f"events: {events}",
    ]
    if state.said and doubts(state.said):
        parts.append(f"the service says: {', '.join(doubts(state.said))}")
    if state.restarts:
        parts.append(f"restarted: {', '.join(state.restarts)}")
    return " | ".join(parts)


def doubts(said: Said) -> tuple[str, ...]:
    """Return what the service doubts, and what people have paused, each in a few words."""
    found = ["a jump is pending"] if said.pending else []
    found += ["prices disputed"] if said.disputed else []
    found += [f"{LABELS[market]} suspect" for market in said.suspect]
    return (*found, *(["claims paused"] if said.paused else []))


def events_sent(state: ViewState) -> int:
    """Return how many events were published in this run."""
    return state.figures.sums.get("events_sent", state.events_sent_before) - state.events_sent_before


def price_of(quote: Quote | None) -> str:
    """Return a price with its age."""
    return "none" if quote is None else f"{short(quote.sell)} ({quote.age:.0f} s)"


def sum_of(figures: Figures, verdict: str) -> int:
    """Return how many orders have this verdict on all markets."""
    return sum(number for (_market, found), number in figures.orders.items() if found == verdict)


def render(state: ViewState, height: int = 40) -> RenderableType:
    """Return the live view for a terminal with so many lines."""
    title = Text.assemble(("Coruscant Bank", "bold"), f"   {state.elapsed:.0f} s   ", (state.phase, "cyan"))
    middle = Table.grid(expand=True, padding=(0, 1, 0, 0))
    middle.add_column(ratio=2)
    middle.add_column(ratio=3)
    middle.add_row(panel("Loans", loans(state)), panel("LTV of active loans", bars(state.figures)))
    latest = panel("Latest liquidations", liquidations(state.figures, rows=max(2, min(8, height - 30))))
    return Group(title, links(state), panel("Markets", markets(state)), middle, latest, footer(state))


def panel(title: str, content: RenderableType) -> Panel:
    """Frame a part of the view."""
    return Panel(content, title=title, title_align="left", box=box.ROUNDED)


def table(*columns: str) -> Table:
    """Make a bare table whose columns after the first are numbers."""
    made = Table(box=None, pad_edge=False, header_style="dim", show_header=any(columns))
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    return made


def markets(state: ViewState) -> RenderableType:
    """Show each market's last price and our orders there, what the service says, and how far events have come."""
    figures, made = state.figures, table("", "GC a unit", "age", *VERDICTS)
    for market in MARKETS:
        quote = figures.quotes.get(market)
        orders = (str(figures.orders.get((market, verdict), 0)) for verdict in VERDICTS)
        made.add_row(LABELS[market], *price_cells(quote), *orders)
    totals = (str(sum_of(figures, verdict)) for verdict in VERDICTS)
    said = state.said or Said()
    made.add_row("the service's, and all orders", short(said.best), "", *totals, style="bold")
    received = "?" if state.events_received is None else state.events_received
    published = f"{events_sent(state)} liquidation events published, {received} received by the OTC service"
    return Group(made, Text(", ".join(doubts(said)), style="red"), Text(published))


def price_cells(quote: Quote | None) -> tuple[str, str]:
    """Return a price and its age, or that there is none."""
    return ("none", "") if quote is None else (short(quote.sell), f"{quote.age:.0f} s")


def loans(state: ViewState) -> RenderableType:
    """Show how many loans are in each state."""
    made, sums = table("", ""), state.figures.sums
    for status in STATUSES:
        made.add_row(status, str(state.figures.loans.get(status, 0)))
    made.add_row("open margin calls", str(sums.get("open_margin_calls", 0)), style="yellow")
    if state.said and state.said.paused:
        made.add_row("spared by a pause", str(state.said.spared), style="red")
    if sums.get("waiting"):
        made.add_row("waiting for a person", str(sums["waiting"]), style="red")
    return made


def bars(figures: Figures) -> RenderableType:
    """Show active loans by LTV as bars."""
    made, most = table("", "", ""), max(*figures.buckets, 1)
    made.columns[2].justify = "left"
    for label, number, style in zip(LTV_BUCKETS, figures.buckets, BUCKET_STYLES, strict=True):
        made.add_row(label, str(number), Text("█" * -(-number * BAR_WIDTH // most), style=style))
    return made


def liquidations(figures: Figures, rows: int) -> RenderableType:
    """Show the latest liquidations: units sold, GC received, units left over, GC still owed."""
    made = table("loan", "state", "sold", "proceeds", "left over", "owed", "ago")
    for row in figures.latest[:rows]:
        made.add_row(
            str(row["loan_id"])[:8],
            str(row["status"]),
            short(row["sold"]),
            short(row["proceeds"]),
            short(row["left_over"]),
            short(row["owed"]),
            f"{row['age']:.0f} s",
            style={"settled": "", "waiting": "red"}.get(str(row["status"]), "yellow"),
        )
    return made


def links(state: ViewState) -> RenderableType:
    """Show where to look further."""
    made = Table.grid(padding=(0, 2))
    for label, address in state.links:
        made.add_row(Text(label, style="dim"), Text(address))
    return made


def footer(state: ViewState) -> RenderableType:
    """Show the processes' state and the latest notes."""
    restarts = ", ".join(f"{name} {number} ×" for name, number in state.restarts.items())
    lines = [f"{state.processes} processes running" + (f"; started again: {restarts}" if restarts else "")]
    return Text("\n".join([*lines, *state.notes]), style="yellow")
