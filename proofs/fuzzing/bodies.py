"""Requests that somebody thought up to hurt: each with the statuses that may answer it."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from proofs.fuzzing.wire import post

_JSON = "application/json"
_LIMIT = 64 * 1024
_MEDIA_TYPES = ("text/plain", "application/xml", "multipart/form-data; boundary=x", "*/*", "json", "\x00", "a" * 4000)
#: Amounts as text, and as anything else.
_TEXTS = ("1e999999999", "1e-999999999", "1e9999", "9" * 60_000, "0." + "0" * 60_000 + "1", "NaN", "-1", "0x1", "1_0")
_OTHERS = ("1e999999999", "9" * 60_000, "9" * 100_000, "0." + "9" * 60_000, "-1e99", "1", "true", "{}", "[[1]]")


@dataclass(frozen=True, slots=True)
class Hostile:
    """A whole request; `statuses` may answer it. `framing` is broken below HTTP: then gunicorn may refuse it itself."""

    name: str
    request: bytes
    statuses: frozenset[int]
    framing: bool = False


def fields(number: object = "hostile") -> dict[str, str]:
    """A body that would be accepted."""
    return {"requestId": f"r-{number}", "loanId": f"l-{number}", "borrowerId": "borrower", "amount": "1000"}


def hostile(path: str, authorization: str) -> Iterator[Hostile]:
    """Every one of them, against one path."""
    credential = ("Authorization", authorization)
    for name, body in _malformed() | _amounts():
        status = 413 if len(body) > _LIMIT else 400
        yield Hostile(name, post(path, body, credential, ("Content-Type", _JSON)), frozenset({status}))
    good = json.dumps(fields()).encode()
    for media_type in (
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
        "*/*",
        "json",
        "\x00",
        "a" * 4000,
    ):
        request = post(path, good, credential, ("Content-Type", media_type))
        yield Hostile(f"media type {media_type[:20]!r}", request, frozenset({400, 415}), framing="\x00" in media_type)
    yield Hostile("no media type", post(path, good, credential), frozenset({415}))
    for value in ("", "Token", "Token x y", "Bearer x", "Basic ::", "Token \xff", f"Token {'0' * 4000}"):
        request = post(path, good, ("Authorization", value), ("Content-Type", _JSON))
        yield Hostile(f"credential {value[:20]!r}", request, frozenset({401}))
    yield from _framing(path, (credential, ("Content-Type", _JSON)), good)


def _malformed() -> set[tuple[str, bytes]]:
    good = json.dumps(fields()).encode()
    return {
        ("nothing", b""),
        ("blanks", b" \r\n\t "),
        ("a list", b"[]"),
        ("null", b"null"),
        ("a string", b'"x"'),
        ("half", good[: len(good) // 2]),
        ("text behind it", good + b"x"),
        ("two objects", good + good),
        ("a byte order mark", b"\xef\xbb\xbf" + good),
        ("UTF-16", good.decode().encode("utf-16")),
        ("UTF-32", good.decode().encode("utf-32")),
        ("Latin-1", json.dumps(fields("\xe9"), ensure_ascii=False).encode("latin-1")),
        ("overlong UTF-8", good.replace(b'borrower"', b'\xc0\x80"')),
        ("a surrogate in UTF-8", good.replace(b'"borrower"', b'"\xed\xa0\x80"')),
        ("half a pair", good.replace(b'"borrower"', b'"\\ud800"')),
        ("a pair the wrong way round", good.replace(b'"borrower"', b'"\\udc00\\ud800"')),
        ("an escaped NUL", good.replace(b'"borrower"', b'"a\\u0000b"')),
        ("a NUL", good.replace(b'"borrower"', b'"a\x00b"')),
        ("a line break in a string", good.replace(b'"borrower"', b'"a\nb"')),
        ("single quotes", good.replace(b'"', b"'")),
        ("a comment", b"/* x */" + good),
        ("a comma too many", good[:-1] + b",}"),
        ("a key twice", good[:-1] + b', "amount": "1"}'),
        ("a key twice, once escaped", good[:-1] + b', "\\u0061mount": "1"}'),
        ("a key twice, deep inside", good[:-1] + b', "x": [{"a": 1, "a": 2}]}'),
        ("NaN", good[:-1] + b', "x": NaN}'),
        ("Infinity", good[:-1] + b', "x": -Infinity}'),
        ("deep arrays", b"[" * 60_000),
        ("deep arrays, closed", good[:-1] + b', "x": ' + b"[" * 30_000 + b"]" * 30_000 + b"}"),
        ("deep objects", b'{"a":' * 12_000),
        ("10^5 arrays", b"[" * 100_000 + b"]" * 100_000),
        ("a megabyte", b'{"x": "' + b"x" * 1_000_000 + b'"}'),
        ("one byte too many", good + b" " * (_LIMIT - len(good) + 1)),
        ("65,000 keys' worth", b"{" + b",".join(b'"%d":0' % number for number in range(6_000)) + b"}"),
    }


def _amounts() -> set[tuple[str, bytes]]:
    kept = {name: value for name, value in fields().items() if name != "amount"}
    start = json.dumps(kept).encode()[:-1] + b', "amount": '
    found = {(f"amount {text[:20]!r} of {len(text)}", start + f'"{text}"}}'.encode()) for text in _TEXTS}
    return found | {(f"amount {text[:20]} of {len(text)}", start + f"{text}}}".encode()) for text in _OTHERS}


def _framing(path: str, headers: tuple[tuple[str, str], ...], good: bytes) -> Iterator[Hostile]:
    """Bodies whose length is a lie, or comes in chunks."""
    chunked = (*headers, ("Transfer-Encoding", "chunked"))
    refused = frozenset({400})

    def of(name: str, request: bytes, *statuses: int) -> Hostile:
        return Hostile(name, request, frozenset(statuses) or refused, framing=True)

    yield of("a length too short", post(path, good, *headers, length="5"))
    yield of("a length too long", post(path, good, *headers, length=str(len(good) + 50)))
    yield of("a length of nothing", post(path, good, *headers, length="0"))
    yield of("no length", post(path, good, *headers, length=None))
    yield of("two lengths", post(path, good, *headers, ("Content-Length", "5")))
    for length in ("x", "-1", "+5", "5.0", "", "1 2", "٣".encode().decode("latin-1")):
        yield of(f"length {length!r}", post(path, good, *headers, length=length))
    yield of("a huge length", post(path, good, *headers, length="9" * 30), 400, 413)
    yield of("chunks without an end", post(path, b'5\r\n{"a":\r\n', *chunked, length=None))
    yield of("a chunk that is no number", post(path, b"zz\r\n{}\r\n0\r\n\r\n", *chunked, length=None))
    yield of("a negative chunk", post(path, b"-5\r\n{}\r\n0\r\n\r\n", *chunked, length=None))
    yield of("an endless chunk size", post(path, b"f" * 5000 + b"\r\n{}", *chunked, length=None))
    yield of("half of it in a chunk", post(path, b"%x\r\n%b\r\n0\r\n\r\n" % (40, good[:40]), *chunked, length=None))
    big = b"1000\r\n" + b" " * 4096 + b"\r\n"
    yield of("a megabyte in chunks", post(path, big * 256 + b"0\r\n\r\n", *chunked, length=None), 413)
    yield of("chunks and a length", post(path, b"2\r\n{}\r\n0\r\n\r\n", *chunked))
    other = (*headers, ("Transfer-Encoding", "gzip"))
    yield of("another transfer encoding", post(path, good, *other, length=None), 400, 501)
    yield of("a header of 100,000 characters", post(path, good, *headers, ("X-Long", "x" * 100_000)), 400, 431)
    yield of("3,000 headers", post(path, good, *headers, *[("X-Many", "x")] * 3000), 400, 431)
