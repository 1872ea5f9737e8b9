"""What a replay has found, in sentences: for its page and its command."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from coruscant import money

_NAMES: Final = {
    "liquidation_ltv": "liquidation at {} %",
    "margin_call_ltv": "margin calls at {} %",
    "margin_call_clear_ltv": "cleared below {} %",
}
_KINDS: Final = ("sold", "called")


def terms(named: Mapping[str, Decimal]) -> str:
    """The LTVs that a replay has named."""
    with money.exact():
        said = [_NAMES[name].format(money.decimal_string(ltv * 100)) for name, ltv in named.items()]
    return ", ".join(said).capitalize() or "The same terms"


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What would have been otherwise, a sentence for sales and one for margin calls."""
    return [_of(kind, result["totals"][kind]) for kind in _KINDS]


def _of(kind: str, totals: Mapping[str, Mapping[str, Any]]) -> str:
    more, fewer = totals["onlyReplay"], totals["onlyReality"]
    both = totals["same"]["loans"] + totals["otherInstant"]["loans"]
    if not more["loans"] and not fewer["loans"] and not totals["otherInstant"]["loans"]:
        same = f"all {both:,} as they were, at the same instants" if both else "none, as in reality"
        return f"{kind.capitalize()}: {same}."
    said = [
        f"{more['loans']:,} that were not {kind} would have been, owing {_gc(more)} GC",
        f"{fewer['loans']:,} that were would not, owing {_gc(fewer)} GC",
        f"{both:,} would have been in any case, {totals['otherInstant']['loans']:,} of them at another instant",
    ]
    return f"{kind.capitalize()}: {'; '.join(said)}."


def _gc(total: Mapping[str, Any]) -> str:
    return f"{Decimal(total['owed']):,.2f}"
