"""Bodies of the right shape with wrong things in them, which bytes changed at random would rarely become."""

import json
from typing import Any

from hypothesis import strategies as st

from pricing.markets import Market
from proofs.fuzzing.seeds import ANSWERS, EVENTS, LIES, MOS_ESPA_EVENT, envelope

_TEXTS = (
    *(
        "",
        " ",
        "0",
        "1",
        "50",
        "0.5",
        "-1",
        "+1",
        "1e5",
        "1e-7",
        "1e999",
        "NaN",
        "Infinity",
        "٣",
        "1_0",
        "\x00",
        "\ud800",
    ),
    *("9" * 20, "9" * 21, "0." + "9" * 24, "0." + "9" * 25, "BESKAR", "GC", "sell", "SELL", "STEEL:MANDALORIAN"),
    *("2026-02-30T00:00:00Z", "9999-12-31T23:59:60Z", "0000-01-01T00:00:00+23:59", "2026-06-30T23:59:60Z"),
)
_RAW_NUMBERS = (
    "1e999999999",
    "-1e999999999",
    "1E-400",
    "9" * 5000,
    "0." + "9" * 5000,
    "-0",
    "0",
    "1.50",
    "1e2",
    "12.5",
)


class _Raw(float):
    """A number that is written as its own digits, which no float could keep."""

    def __new__(cls, text: str) -> "_Raw":
        made = super().__new__(cls, 0.0)
        made.text = text
        return made

    text: str

    def __repr__(self) -> str:
        return self.text


def _scalars() -> st.SearchStrategy[Any]:
    return st.one_of(
        st.sampled_from(_TEXTS),
        st.sampled_from((1, 10, 50, 100, 0, -1, 12.5, True, False, None)),
        st.sampled_from(_RAW_NUMBERS).map(_Raw),
        st.decimals(min_value=0, max_value=200, places=8).map(lambda value: _Raw(f"{value:f}")),
        st.decimals(min_value=0, max_value=200, places=8).map(lambda value: f"{value:f}"),
        st.text(max_size=8),
    )


def _anything() -> st.SearchStrategy[Any]:
    return st.recursive(
        _scalars(), lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    )


def _levels() -> st.SearchStrategy[Any]:
    keys = st.sampled_from(("quantity", "amount", "buy", "sell", "price"))
    return st.lists(st.dictionaries(keys, _scalars(), max_size=4), max_size=5)


def _good_levels(event: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Prices that fall with depth or do not, of any length the columns hold, at quantities that may repeat."""
    prices = st.decimals(min_value="0.000001", max_value="99999", places=6).map(lambda value: f"{value:f}")
    known = st.sampled_from((1, 10, 50, 100))
    if event is MOS_ESPA_EVENT:
        return st.lists(
            st.fixed_dictionaries({"quantity": known, "buy": prices, "sell": prices}), min_size=1, max_size=4
        )
    level = st.fixed_dictionaries({"amount": known, "price": prices.map(_Raw)})
    return st.lists(level, min_size=1, max_size=4)


def _damaged(example: dict[str, Any], extra: st.SearchStrategy[Any]) -> st.SearchStrategy[str]:
    """The example with up to three fields changed, one perhaps removed, written in one of several ways."""
    changes = st.dictionaries(st.sampled_from(sorted(example)), _anything() | extra, max_size=3)
    unknown = st.dictionaries(st.text(max_size=6), _anything(), max_size=2)
    missing = st.sets(st.sampled_from(sorted(example)), max_size=1)

    def written(parts: tuple[dict[str, Any], dict[str, Any], set[str], bool]) -> str:
        more, changed, without, escaped = parts
        found = {key: value for key, value in (more | example | changed).items() if key not in without}
        return dump(found, ensure_ascii=escaped)

    return st.tuples(unknown, changes, missing, st.booleans()).map(written)


def dump(value: Any, *, ensure_ascii: bool = True) -> str:
    """JSON text; raw numbers keep their digits."""
    return "".join(_Writer(ensure_ascii=ensure_ascii).iterencode(value))


class _Writer(json.JSONEncoder):
    """The standard library's slow writer, which asks a float for its own repr."""

    def iterencode(self, o: Any, _one_shot: bool = False) -> Any:
        text = json.encoder.encode_basestring_ascii if self.ensure_ascii else json.encoder.encode_basestring
        make: Any = json.encoder._make_iterencode  # type: ignore[attr-defined]
        sort_keys = skip_keys = one_shot = False
        return make({}, self.default, text, None, repr, ":", ",", sort_keys, skip_keys, one_shot)(o, 0)


def _cut(texts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """A text with a piece of it removed or replaced."""

    def cut(parts: tuple[str, int, int, str]) -> str:
        text, begin, length, piece = parts
        begin %= len(text) + 1
        return text[:begin] + piece + text[begin + length :]

    return st.tuples(texts, st.integers(0, 400), st.integers(0, 6), st.text(max_size=4)).map(cut)


def events(market: Market) -> st.SearchStrategy[str]:
    """Bodies of a feed: as documented, damaged, cut, in an envelope, in a damaged envelope, and plain noise."""
    example = EVENTS[market]
    sides = ["levels"] if example is MOS_ESPA_EVENT else ["buy", "sell"]
    good = st.fixed_dictionaries({side: _good_levels(example) for side in sides}).map(lambda new: dump(example | new))
    whole = _damaged(example, _levels() | _good_levels(example)) | good
    body = whole | _cut(whole) | st.text(max_size=60)
    return body | body.map(lambda inner: dump(envelope(inner))) | _damaged(envelope("{}"), body)


def answers(market: Market) -> st.SearchStrategy[bytes]:
    """Answers of a market: as documented, misleading, damaged, cut, and plain noise."""
    examples = (*ANSWERS[market], *LIES[market])
    each = [_damaged(example, _scalars()) for example in examples]
    # One of a list would be the same, with a representation of a megabyte.
    damaged = st.sampled_from(range(len(each))).flatmap(lambda number: each[number])
    texts = st.sampled_from([dump(example) for example in examples]) | damaged | _cut(damaged)
    return texts.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=60)
