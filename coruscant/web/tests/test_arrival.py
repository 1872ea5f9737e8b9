"""Where a request ends, wherever its packets do."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from coruscant.web.arrival import MOST_BODY, MOST_HEAD, Arrival

GET = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"
WHOLE = {
    "no body": GET,
    "a body": POST,
    "empty lines before it": b"\r\n\r\n" + GET,
    "chunks": CHUNKED + b"2;x=1\r\n{}\r\n0\r\n\r\n",
    "chunks with a trailer": CHUNKED + b"4\r\n\r\n\r\n\r\n0\r\nSum: 1\r\n\r\n",
    "a length with zeros before it": POST.replace(b": 2", b": 00000000000000000000002"),
    "what is no request, for the parser to refuse": b"\x16\x03\x01\r\n\r\n",
    "a length that is no number, for the parser to refuse": b"POST / HTTP/1.1\r\nContent-Length: +2\r\n\r\n",
}
REFUSED = {
    "a body that is too long": (POST.replace(b": 2", b": %d" % (MOST_BODY + 1)), 413),
    "a length of five thousand digits": (POST.replace(b": 2", b": " + b"9" * 5000), 413),
    "no chunk": (CHUNKED + b"2\r\n{}\r\nxyz\r\n", 400),
    "a chunk that is too long": (CHUNKED + b"FFFFFF\r\n", 413),
    "chunks without end": (CHUNKED + b"1\r\nx\r\n" * (MOST_BODY // 6 + 1) + b"1", 413),
    "a trailer without end": (CHUNKED + b"0\r\n" + b"X: y\r\n" * (MOST_BODY // 6 + 1), 413),
    "the size of a chunk without end": (CHUNKED + b"0" * (MOST_BODY + 1), 413),
    "a head that is too long": (b"GET / HTTP/1.1\r\nX: " + b"y" * MOST_HEAD, 431),
}


def arrived(*packets):
    arrival = Arrival()
    for packet in packets:
        arrival.add(packet)
    return arrival


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE)
def test_a_request_is_whole_with_its_last_byte_and_not_before(request_):
    arrival = Arrival()
    for number, byte in enumerate(request_, 1):
        arrival.add(bytes([byte]))
        assert (arrival.whole, arrival.refusal) == (number == len(request_), None)
    assert bytes(arrival.received) == request_.lstrip(b"\r\n")


@pytest.mark.parametrize("request_", WHOLE.values(), ids=WHOLE)
def test_what_comes_behind_a_request_is_kept_for_the_next(request_):
    arrival = arrived(request_ + POST)
    assert arrival.whole
    assert bytes(arrival.received) == request_.lstrip(b"\r\n") + POST


@pytest.mark.parametrize(("request_", "status"), REFUSED.values(), ids=REFUSED)
def test_what_will_not_be_read_to_its_end_is_refused(request_, status):
    arrival = arrived(request_)
    assert (arrival.whole, arrival.refusal) == (False, status)


@given(st.sampled_from([*WHOLE.values()]), st.binary(max_size=20), st.integers(0, 200), st.integers(0, 200))
def test_a_request_is_the_same_in_any_packets(request_, behind, one, other):
    sent, (first, second) = request_ + behind, sorted((one, other))
    arrival, at_once = arrived(sent[:first], sent[first:second], sent[second:]), arrived(sent)
    assert (arrival.whole, arrival.refusal, arrival.received) == (True, None, at_once.received)


@pytest.mark.parametrize(
    ("head", "asks"),
    [
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", True),
        (b"POST / HTTP/1.1\r\nHost: x\r\nexpect:100-Continue\r\nContent-Length: 2\r\n\r\n", True),
        (b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", False),
        (b"POST / HTTP/1.1\r\nExpect: 100-continued\r\nContent-Length: 2\r\n\r\n", False),
        (b"POST / HTTP/1.0\r\nX: HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n", False),
        (POST, False),
    ],
)
def test_only_a_client_that_waits_for_leave_to_send_its_body_asks_for_it(head, asks):
    assert arrived(head).asks_to_continue is asks


def test_forms_may_be_as_long_as_what_the_door_lets_in(settings):
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE == MOST_BODY
    assert settings.API_MAX_BODY_BYTES < MOST_BODY
