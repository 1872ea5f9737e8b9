"""The demo's live view, and its one-line form for where there is no terminal."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_HALF_EVEN, Decimal

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.books import LTV_BUCKETS, Figures, Quote
from demo.world import MARKETS

LABELS = {"mos_espa": "Mos Espa", "black_spire_outpost": "Black Spire Outpost"}
STATUSES = ("new", "active", "liquidating", "liquidated")
VERDICTS = ("filled", "refused", "unknown", "unresolved")
BUCKET_STYLES = ("green", "green", "yellow", "dark_orange", "red")
BAR_WIDTH = 26


@dataclass(slots=True)
class Scene:
    """All there is to show. `events_heard` is None while the OTC service does not answer."""

    elapsed: float = 0.0
    phase: str = ""
    figures: Figures = field(default_factory=Figures)
    events_heard: int | None = None
    applications: int | None = None
    processes: int = 0
    restarts: Mapping[str, int] = field(default_factory=dict)
    links: Sequence[tuple[str, str]] = ()
    notes: Sequence[str] = ()


def short(value: Decimal | None, places: str = "0.01") -> str:
    """Return a number for a person: rounded, with thousands separated."""
    return "-" if value is None else f"{value.quantize(Decimal(places), rounding=ROUND_HALF_EVEN):,}"


def progress_line(scene: Scene) -> str:
    """Return the scene as one line."""
    figures = scene.figures
    prices = " ".join(f"{LABELS[market]} {price_of(figures.quotes.get(market))}" for market in MARKETS)
    loans = " ".join(f"{status} {figures.loans.get(status, 0)}" for status in STATUSES)
    orders = " ".join(f"{verdict} {sum_of(figures, verdict)}" for verdict in VERDICTS)
    heard = "?" if scene.events_heard is None else scene.events_heard
    events = f"sent {figures.sums.get('events_sent', 0)} heard {heard}"
    parts = [
        f"{scene.elapsed:5.0f} s {scene.phase}",
        prices,
        f"loans: {loans}",
        f"orders: {orders}",
        f"events: {events}",
    ]
    if scene.restarts:
        parts.append(f"restarted: {', '.join(scene.restarts)}")
    return " | ".join(parts)


def price_of(quote: Quote | None) -> str:
    """Return a price with its age."""
    return "none" if quote is None else f"{short(quote.sell)} ({quote.age:.0f} s)"


def sum_of(figures: Figures, verdict: str) -> int:
    """Return how many orders have this verdict on all markets."""
    return sum(number for (_market, found), number in figures.orders.items() if found == verdict)


def render(scene: Scene) -> RenderableType:
    """Return the scene for the live view."""
    figures = scene.figures
    title = Text.assemble(("Coruscant Bank", "bold"), f"   {scene.elapsed:.0f} s   ", (scene.phase, "cyan"))
    top = Table.grid(expand=True, padding=(0, 1))
    top.add_row(
        panel("Price, GC a unit", prices(figures)),
        panel("Loans", loans(scene)),
        panel("LTV of active loans", bars(figures)),
    )
    low = Table.grid(expand=True, padding=(0, 1))
    low.add_row(panel("Latest liquidations", liquidations(figures)), panel("Orders and events", orders(scene)))
    return Group(title, top, low, footer(scene))


def panel(title: str, content: RenderableType) -> Panel:
    """Frame a part of the view."""
    return Panel(content, title=title, title_align="left", box=box.ROUNDED)


def table(*columns: str) -> Table:
    """Make a bare table whose columns after the first are numbers."""
    made = Table(box=None, pad_edge=False, header_style="dim")
    for number, column in enumerate(columns):
        made.add_column(column, justify="right" if number else "left", no_wrap=True)
    return made


def prices(figures: Figures) -> RenderableType:
    """Show each market's last price and the best one."""
    made = table("", "sell", "age")
    rows = [(LABELS[market], figures.quotes.get(market)) for market in MARKETS]
    for label, quote in [*rows, ("Best", figures.best)]:
        age = "" if quote is None else f"{quote.age:.0f} s"
        made.add_row(label, short(quote.sell if quote else None), age, style="bold" if label == "Best" else "")
    return made


def loans(scene: Scene) -> RenderableType:
    """Show how many loans are in each state."""
    made, sums = table("", ""), scene.figures.sums
    for status in STATUSES:
        made.add_row(status, str(scene.figures.loans.get(status, 0)))
    made.add_row("open margin calls", str(sums.get("open_warnings", 0)), style="yellow")
    if sums.get("waiting"):
        made.add_row("waiting for a person", str(sums["waiting"]), style="red")
    return made


def bars(figures: Figures) -> RenderableType:
    """Show active loans by LTV as bars."""
    made, most = table("", "", ""), max(*figures.buckets, 1)
    for label, number, style in zip(LTV_BUCKETS, figures.buckets, BUCKET_STYLES, strict=True):
        bar = Text("█" * -(-number * BAR_WIDTH // most), style=style)
        bar.pad_right(BAR_WIDTH - len(bar))
        made.add_row(label, bar, str(number))
    return made


def liquidations(figures: Figures) -> RenderableType:
    """Show the latest liquidations: units sold, GC received, units left over, GC still owed."""
    made = table("loan", "state", "sold", "proceeds", "left over", "owed", "ago")
    for row in figures.latest:
        made.add_row(
            str(row["loan_id"])[:13],
            str(row["status"]),
            short(row["sold"], "0.0001"),
            short(row["proceeds"]),
            short(row["left_over"], "0.0001"),
            short(row["owed"]),
            f"{row['age']:.0f} s",
            style={"settled": "", "waiting": "red"}.get(str(row["status"]), "yellow"),
        )
    return made


def orders(scene: Scene) -> RenderableType:
    """Show orders by verdict for each market, and how far events have come."""
    figures, made = scene.figures, table("", *(LABELS[market] for market in MARKETS))
    for verdict in VERDICTS:
        made.add_row(verdict, *(str(figures.orders.get((market, verdict), 0)) for market in MARKETS))
    heard = "?" if scene.events_heard is None else str(scene.events_heard)
    made.add_row("")
    made.add_row("events published", str(figures.sums.get("events_sent", 0)))
    made.add_row("events heard by OTC", heard)
    return made


def footer(scene: Scene) -> RenderableType:
    """Show addresses, the processes' state, and the latest notes."""
    made = Table.grid(padding=(0, 2))
    for label, address in scene.links:
        made.add_row(Text(label, style="dim"), Text(address, style="underline"))
    restarts = ", ".join(f"{name} {number} ×" for name, number in scene.restarts.items())
    made.add_row(
        Text("Processes", style="dim"), f"{scene.processes} running" + (f"; restarted: {restarts}" if restarts else "")
    )
    for note in scene.notes:
        made.add_row("", Text(note, style="yellow"))
    return made
