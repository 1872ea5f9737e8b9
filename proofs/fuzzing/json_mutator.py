"""Changes to an input that keep it JSON: libFuzzer alone breaks nearly every body before a rule can look at it."""

import json
from copy import deepcopy
from random import Random
from typing import Any

#: Numbers and texts at the bounds of what the readers take, and types that stand where others should.
_VALUES: tuple[Any, ...] = (
    *("", " ", "0", "1", "50", "0.5", "-1", "1e5", "1e999", "NaN", "1_0", "٣", "\x00", "\ud800", "9" * 20, "9" * 21),
    *("0." + "9" * 24, "0." + "9" * 25, "BESKAR", "GC", "STEEL:MANDALORIAN", "SPICE", "sell", "SELL", "market"),
    *("0004-05-06T07:08:09Z", "9999-12-31T23:59:60Z", "2026-02-30T00:00:00Z", "0000-01-01T00:00:00+23:59"),
    *(0, 1, 10, 50, 100, -1, 12.5, 1e300, 10**30, 49.99, 50.01, True, False, None, [], {}, [[]], [1], {"a": 1}),
)


def mutate(body: bytes, random: Random) -> bytes:
    """The body with one to three of its values changed, moved, doubled or removed; unchanged if it is no JSON."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return body
    for _ in range(random.randrange(1, 4)):
        _change(found, random)
    return json.dumps(found, ensure_ascii=random.random() < 0.8).encode("utf-8", "surrogatepass")


def _change(root: Any, random: Random) -> None:
    place = _place(root, random)
    if place is None:
        return
    holder, key = place
    kind = random.randrange(6)
    if kind == 0:
        del holder[key]
    elif kind == 1 and isinstance(holder, list):
        holder.append(deepcopy(holder[key]))
    elif kind == 2 and isinstance(holder[key], str) and holder[key].startswith("{"):
        holder[key] = mutate(holder[key].encode("utf-8", "surrogatepass"), random).decode("utf-8", "surrogatepass")
    elif kind == 3 and isinstance(holder[key], int | float):
        holder[key] = random.choice((-holder[key], holder[key] * 10, holder[key] / 10, f"{holder[key]}"))
    elif kind == 4 and (other := _place(root, random)) is not None:
        holder[key] = deepcopy(other[0][other[1]])
    else:
        holder[key] = deepcopy(random.choice(_VALUES))


def _place(root: Any, random: Random) -> tuple[Any, Any] | None:
    """A value of the tree, as what holds it and where; None if there is none."""
    places: list[tuple[Any, Any]] = []
    waiting = [root]
    while waiting and len(places) < 200:
        holder = waiting.pop()
        if isinstance(holder, dict | list):
            keys = holder if isinstance(holder, dict) else range(len(holder))
            places += [(holder, key) for key in keys]
            waiting += [holder[key] for key in keys]
    return random.choice(places) if places else None
