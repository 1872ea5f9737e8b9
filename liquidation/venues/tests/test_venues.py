"""What is sent to each market, and how every kind of answer is read."""

import json
from decimal import Decimal

import pytest
import requests
import responses
from hypothesis import given
from hypothesis import strategies as st

from liquidation.venues import VENUES, black_spire_outpost, http, mos_espa, send_order
from liquidation.verdicts import NeverSent, Refused, Traded, Unclear, fill, kind
from pricing.markets import Market

ID = "0b0c0f6e"
MOS_ESPA_SUCCESS = {
    "orderId": "ME-1",
    "success": True,
    "type": "market",
    "side": "sell",
    "asset": "BESKAR",
    "currency": "GC",
    "quantity": "12.5",
    "price": "612.75",
    "requestId": ID,
}
BLACK_SPIRE_SUCCESS = {
    "requestId": ID,
    "id": "BS-1",
    "side": "SELL",
    "item": "STEEL:MANDALORIAN",
    "amount": 12.5,
    "totalPrice": 612.75,
}


def answered(venue, body, status=200):
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return venue.read(http.Response(status, raw), request_id=ID)


def test_the_order_to_mos_espa_is_as_contracted():
    assert json.loads(mos_espa.payload(ID, Decimal("12.50"))) == {
        "requestId": ID,
        "type": "market",
        "side": "sell",
        "asset": "BESKAR",
        "currency": "GC",
        "quantity": "12.5",
    }


@pytest.mark.parametrize("quantity", ["12.50", "0.00000001", "100", "99.99999999"])
def test_the_order_to_black_spire_outpost_carries_an_exact_number(quantity):
    text = black_spire_outpost.payload(ID, Decimal(quantity))
    sent = json.loads(text, parse_float=Decimal, parse_int=Decimal)
    assert sent == {"requestId": ID, "side": "SELL", "item": "STEEL:MANDALORIAN", "amount": Decimal(quantity)}
    assert "e-" not in text.lower().replace("steel", "")


@pytest.mark.parametrize(("venue", "body"), [(mos_espa, MOS_ESPA_SUCCESS), (black_spire_outpost, BLACK_SPIRE_SUCCESS)])
def test_a_success_is_read_exactly(venue, body):
    proved = fill(answered(venue, body), ordered=Decimal("12.5"))
    assert (proved.units, proved.proceeds) == (Decimal("12.5"), Decimal("612.75"))


@pytest.mark.parametrize("key", ["requestId", "side", "asset", "currency", "type"])
def test_a_success_of_mos_espa_for_something_else_does_not_fit(key):
    assert fill(answered(mos_espa, MOS_ESPA_SUCCESS | {key: "other"}), ordered=Decimal("12.5")) is None


@pytest.mark.parametrize("key", ["requestId", "side", "item"])
def test_a_success_of_black_spire_outpost_for_something_else_does_not_fit(key):
    assert fill(answered(black_spire_outpost, BLACK_SPIRE_SUCCESS | {key: "other"}), ordered=Decimal("12.5")) is None


@pytest.mark.parametrize(
    ("venue", "body"),
    [
        *[(mos_espa, MOS_ESPA_SUCCESS | {"quantity": q}) for q in (12.5, "-1", "1e1", "NaN", "", None, "٣", "1_0")],
        *[(mos_espa, MOS_ESPA_SUCCESS | {"price": p}) for p in (612.75, "-1", "0", "9" * 30)],
        *[(mos_espa, MOS_ESPA_SUCCESS | {"orderId": nothing}) for nothing in ("", "  ", None)],
        *[(black_spire_outpost, BLACK_SPIRE_SUCCESS | {"amount": a}) for a in ("12.5", -1, 0, True, None)],
        *[(black_spire_outpost, BLACK_SPIRE_SUCCESS | {"totalPrice": p}) for p in ("612.75", 0, -3, 1e30)],
        (black_spire_outpost, BLACK_SPIRE_SUCCESS | {"id": 7}),
    ],
)
def test_a_success_with_impossible_figures_is_no_fill_but_is_recognised_when_it_comes_again(venue, body):
    answer = answered(venue, body)
    assert isinstance(answer, Traded)
    assert fill(answer, ordered=Decimal("12.5")) is None
    assert answer.figures == answered(venue, body).figures


def test_more_decimals_than_the_books_hold_are_cut_off():
    answer = answered(mos_espa, MOS_ESPA_SUCCESS | {"price": "1." + "3" * 40})
    assert fill(answer, ordered=Decimal("12.5")).proceeds == Decimal("1." + "3" * 24)


@pytest.mark.parametrize(
    ("venue", "body", "status", "kind"),
    [
        (mos_espa, {"success": False, "reason": "no buyers"}, 200, Refused),
        (mos_espa, {"success": False, "reason": "no buyers", "requestId": ID}, 422, Refused),
        (mos_espa, {"success": False, "reason": "no buyers"}, 503, Unclear),
        (mos_espa, {"success": False, "reason": "no buyers", "requestId": "another"}, 200, Unclear),
        (mos_espa, {"success": False}, 200, Unclear),
        (mos_espa, {"success": "false", "reason": "x"}, 200, Unclear),
        (mos_espa, MOS_ESPA_SUCCESS, 500, Unclear),
        (mos_espa, MOS_ESPA_SUCCESS, 302, Unclear),
        (mos_espa, {}, 404, Unclear),
        (black_spire_outpost, {"error": "closed"}, 200, Refused),
        (black_spire_outpost, {"error": "closed", "requestId": ID}, 409, Refused),
        (black_spire_outpost, {"error": "closed"}, 500, Unclear),
        (black_spire_outpost, {"error": "closed", "requestId": "another"}, 200, Unclear),
        (black_spire_outpost, {"error": None}, 200, Unclear),
        (black_spire_outpost, BLACK_SPIRE_SUCCESS | {"error": "closed"}, 200, Refused),
        (mos_espa, MOS_ESPA_SUCCESS | {"reason": "closed"}, 200, Unclear),
        (mos_espa, MOS_ESPA_SUCCESS | {"success": None}, 200, Unclear),
        (black_spire_outpost, BLACK_SPIRE_SUCCESS, 502, Unclear),
        (black_spire_outpost, {"ok": True}, 200, Unclear),
    ],
)
def test_refusals_count_only_when_they_are_explicit_and_ours(venue, body, status, kind):
    assert isinstance(answered(venue, body, status), kind)


NOTHING_SAID: list[object] = [None, False, "", "  ", [], {}]


@pytest.mark.parametrize("empty", NOTHING_SAID)
def test_an_empty_reason_or_error_makes_no_success_a_refusal(empty):
    for venue, body, reason in ((mos_espa, MOS_ESPA_SUCCESS, "reason"), (mos_espa, MOS_ESPA_SUCCESS, "error")):
        assert fill(answered(venue, body | {reason: empty}), ordered=Decimal("12.5"))
    assert fill(answered(black_spire_outpost, BLACK_SPIRE_SUCCESS | {"error": empty}), ordered=Decimal("12.5"))


@pytest.mark.parametrize(("venue", "body"), [(mos_espa, MOS_ESPA_SUCCESS), (black_spire_outpost, BLACK_SPIRE_SUCCESS)])
def test_fields_that_nobody_knows_do_not_matter_in_a_success(venue, body):
    unknown = {"fee": "0.01", "status": "PENDING", "venue": {"name": "x"}, "note": None}
    assert fill(answered(venue, body | unknown), ordered=Decimal("12.5"))


@pytest.mark.parametrize(
    "said",
    [
        {"orderId": "ME-1"}, {"id": "BS-1"}, {"quantity": "0"}, {"amount": 12.5}, {"price": "612.75"},
        {"totalPrice": 612.75}, {"executedQuantity": "12.5"}, {"status": "FILLED"}, {"trade": {"units": 1}},
        {"side": "buy"},
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("venue", "plain"),
    [(mos_espa, {"success": False, "reason": "no buyers"}), (black_spire_outpost, {"error": "no buyers"})],
)
def test_a_refusal_that_says_anything_more_is_in_doubt(venue, plain, said):
    assert answered(venue, plain).is_clean
    assert answered(venue, plain | {"requestId": ID} | dict.fromkeys(said)).is_clean
    doubtful = answered(venue, plain | said)
    assert not doubtful.is_clean
    assert next(iter(said)) in doubtful.doubt


@pytest.mark.parametrize(
    "status", [200, 201, 202, 204, 400, 401, 403, 404, 405, 408, 409, 410, 422, 423, 425, 429, 499]
)
def test_a_refusal_is_plain_only_under_a_status_that_fits(status):
    for venue, plain in ((mos_espa, {"success": False, "reason": "x"}), (black_spire_outpost, {"error": "x"})):
        assert answered(venue, plain, status).is_clean is (status in {200, 400, 403, 404, 422})


@pytest.mark.parametrize("status", [300, 302, 304, 307, 500, 502, 503, 504])
def test_under_other_statuses_a_refusal_is_none(status):
    for venue, plain in ((mos_espa, {"success": False, "reason": "x"}), (black_spire_outpost, {"error": "x"})):
        assert isinstance(answered(venue, plain, status), Unclear)


def test_a_success_of_nothing_is_a_refusal_in_other_words():
    assert kind(answered(mos_espa, MOS_ESPA_SUCCESS | {"quantity": "0", "price": "0", "orderId": None})) == (
        "nothing traded"
    )
    assert kind(answered(black_spire_outpost, BLACK_SPIRE_SUCCESS | {"amount": 0, "totalPrice": 0})) == "nothing traded"
    assert kind(answered(mos_espa, MOS_ESPA_SUCCESS | {"quantity": "0"})) == "success"


@responses.activate
def test_orders_share_no_cookie():
    responses.post("http://mos-espa.test/orders", json=MOS_ESPA_SUCCESS, headers={"Set-Cookie": "session=1; Path=/"})
    for _ in range(2):
        send_order(Market.MOS_ESPA, "{}", request_id=ID, at_most_seconds=5)
    assert "Cookie" not in responses.calls[1].request.headers


@responses.activate
def test_orders_carry_no_credentials_of_the_machine(tmp_path, monkeypatch):
    (tmp_path / ".netrc").write_text("machine mos-espa.test login boba password fett")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    responses.post("http://mos-espa.test/orders", json=MOS_ESPA_SUCCESS)
    assert isinstance(send_order(Market.MOS_ESPA, "{}", request_id=ID, at_most_seconds=5), Traded)
    assert "Authorization" not in responses.calls[0].request.headers


@pytest.mark.parametrize("venue", [mos_espa, black_spire_outpost])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b'"success"',
        b"\xff\xfe",
        b'{"a":NaN}',
        b'{"a":1,"a":2}',
        b"[" * 5000,
        b'{"a":' + b"1" * 5000 + b"}",
        b'{"a":1e999999999}',
    ],
)
def test_an_unreadable_body_proves_nothing(venue, body):
    assert isinstance(answered(venue, body), Unclear)


@given(st.binary(max_size=300), st.sampled_from([200, 201, 400, 422, 500, 302]), st.sampled_from(list(VENUES)))
def test_no_bytes_make_a_reader_fail(body, status, market):
    answer = VENUES[market].read(http.Response(status, body), request_id=ID)
    assert isinstance(answer, Unclear | Refused | Traded)


@responses.activate
def test_the_order_goes_where_the_setting_says_and_only_once(settings):
    settings.MARKET_URLS = {Market.MOS_ESPA: "http://elsewhere.test/api"}
    sent = responses.post("http://elsewhere.test/api/orders", json=MOS_ESPA_SUCCESS)
    answer = send_order(Market.MOS_ESPA, mos_espa.payload(ID, Decimal("12.5")), request_id=ID, at_most_seconds=5)
    assert isinstance(answer, Traded)
    assert sent.call_count == 1
    assert sent.calls[0].request.headers["Content-Type"] == "application/json"


@responses.activate
@pytest.mark.parametrize("status", [307, 308])
def test_a_redirect_is_not_followed(status):
    responses.post("http://mos-espa.test/orders", status=status, headers={"Location": "http://mos-espa.test/other"})
    other = responses.post("http://mos-espa.test/other", json=MOS_ESPA_SUCCESS)
    assert isinstance(send_order(Market.MOS_ESPA, "{}", request_id=ID, at_most_seconds=5), Unclear)
    assert other.call_count == 0


@responses.activate
@pytest.mark.parametrize("error", [requests.ReadTimeout("slow"), requests.ConnectionError("reset"), OSError("gone")])
def test_a_failure_on_the_way_proves_nothing(error):
    responses.post("http://mos-espa.test/orders", body=error)
    assert isinstance(send_order(Market.MOS_ESPA, "{}", request_id=ID, at_most_seconds=5), Unclear)


def test_a_port_nobody_listens_on_was_never_sent_to(settings):
    settings.MARKET_URLS = {Market.MOS_ESPA: "http://127.0.0.1:1"}
    assert isinstance(send_order(Market.MOS_ESPA, "{}", request_id=ID, at_most_seconds=5), NeverSent)
