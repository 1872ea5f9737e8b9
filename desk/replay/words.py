"""What a replay has found, in sentences: for its page and its command."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from coruscant import money

_NAMES: Final = {
    "liquidation_ltv": "liquidation at {} %",
    "margin_call_ltv": "margin calls at {} %",
    "margin_call_clear_ltv": "cleared below {} %",
    "guard_jump": "jumps held from {} %",
    "guard_agreement": "jumps confirmed within {} %",
}
_KINDS: Final = ("sold", "called")
_NAMED: Final = 5


def terms(named: Mapping[str, Decimal]) -> str:
    """What a replay has named."""
    with money.exact():
        said = [_NAMES[name].format(money.decimal_string(ltv * 100)) for name, ltv in named.items()]
    return ", ".join(said).capitalize() or "The same terms"


def sentences(result: Mapping[str, Any]) -> list[str]:
    """What would have been otherwise, a sentence for sales and one for margin calls; before them, if it is not all."""
    return [*_incomplete(result), *(_of(kind, result["totals"][kind]) for kind in _KINDS), *_held(result)]


def differing(result: Mapping[str, Any]) -> str:
    """Some of the loans that were sold or called otherwise, by their ids; empty if there are none."""
    found = [row for kind in _KINDS for row in result["differences"][kind]]
    named = ", ".join(f"{row['loanId']} ({row['kind']}, {row['where']})" for row in found[:_NAMED])
    return f"{named}, …" if len(found) > _NAMED else named


def _held(result: Mapping[str, Any]) -> list[str]:
    """What another guard would have held."""
    held = result.get("held")
    if not held:
        return []
    jumps = f"{'' if held['complete'] else 'at least '}{held['jumps']:,} jumps"
    return [f"The guard would have held {jumps}; {held['unconfirmed']:,} of them nothing confirmed."]


def _incomplete(result: Mapping[str, Any]) -> list[str]:
    if result.get("complete", True):
        return []
    loans = result["loans"]
    return [
        f"There was time for {loans['replayed']:,} of {loans['of']:,} loans, the oldest ones: all figures are of these"
        " alone. Ask for a shorter time, or run `manage.py replay`, which takes as long as it needs."
    ]


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
