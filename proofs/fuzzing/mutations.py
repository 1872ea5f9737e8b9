"""Bodies made of good ones by seeded accidents, and an independent opinion on which are still good."""

import json
import re
from random import Random
from typing import Any

import jsonschema
import yaml

from proofs.fuzzing.contract import DOCUMENT
from proofs.fuzzing.contract_amounts import can_be_stored

_SPLICES = [
    *(b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\r\n"),
    *(b"1e999999999", b"NaN", b"-", b"null", b"true", b"\\u0000", b"\\ud800", b"\\u0020", b"1e5", b"0.5", b"[" * 2000),
    *(b'"amount": "1",', b'"requestId": "x",', b'"other": {"a": [1, 2.5, null]},', " ٣½".encode(), "\ufeff".encode()),
]
_VALUES: list[object] = [
    *("", " ", "x" * 128, "x" * 129, "\ufeff", "\x1f", "a/b?c#d", "1", "1e5", "1e-24", "1e20", "0", "-1", "٣", "1\n"),
    *("9" * 20, "9" * 21, "0." + "9" * 24, "0." + "9" * 25, 1, 1.5, True, None, [], {}, ["1"], "1e9999", "0e0"),
]


def accepted_schema() -> jsonschema.Draft202012Validator:
    """The committed schema of an application, which a top-up shares; `$` as JavaScript means it."""
    schema: dict[str, Any] = yaml.safe_load(DOCUMENT.read_text())["components"]["schemas"]["LoanApplicationRequest"]
    for field in schema["properties"].values():
        field["pattern"] = re.sub(r"\$$", r"\\Z", field["pattern"])
    return jsonschema.Draft202012Validator(schema)


def is_good(body: bytes, schema: jsonschema.Draft202012Validator) -> bool:
    """Whether the contract lets this body in: one JSON object in UTF-8, as the committed schema has it."""
    try:
        found = json.loads(body.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_none, parse_int=float)
    except (ValueError, RecursionError):
        return False
    if not schema.is_valid(found) or not can_be_stored(found["amount"]):
        return False
    ids = found["requestId"] + found["loanId"] + found["borrowerId"]
    return not any("\ud800" <= letter <= "\udfff" for letter in ids)


def mutate(good: dict[str, str], random: Random) -> bytes:
    """A body with none to four accidents."""
    body: dict[str, object] = dict(good)
    if random.random() < 0.5:
        body[random.choice([*good, "other"])] = random.choice(_VALUES)
    if random.random() < 0.1:
        del body[random.choice(list(good))]
    raw = json.dumps(body, ensure_ascii=random.random() < 0.7).encode("utf-8", "surrogatepass")
    for _ in range(random.choice((0, 0, 1, 1, 2, 3))):
        raw = _accident(raw, random)
    return raw


def _accident(raw: bytes, random: Random) -> bytes:
    at, kind = random.randrange(len(raw) + 1), random.randrange(5)
    if kind == 0:
        return raw[:at]
    if kind == 1:
        return raw[:at] + raw[random.randrange(at, len(raw) + 1) :]
    if kind == 2:
        return raw[:at] + bytes([random.randrange(256)]) + raw[at + 1 :]
    if kind == 3:
        return raw[:at] + random.choice(_SPLICES) + raw[at:]
    return raw[:at] + raw[random.randrange(at + 1) : at] * 2 + raw[at:]


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def _none(text: str) -> None:
    raise ValueError(f"{text} is no JSON")
