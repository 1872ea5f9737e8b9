"""Short shares of the fuzz of feeds and answers, and proof that the checks would notice."""

import json
from decimal import Decimal
from random import Random

import pytest

from liquidation.venues import VENUES
from liquidation.verdicts import Refused, Traded
from pricing.feeds import FEEDS
from pricing.feeds.event import Skipped
from pricing.markets import Market
from proofs.fuzzing import feed_messages, json_mutator, parsers, seeds, venue_answers
from proofs.fuzzing.contract_amounts import can_be_stored
from proofs.fuzzing.mutations import accepted_schema, is_good
from proofs.fuzzing.statuses import STATUSES

TARGETS = pytest.mark.parametrize(("kind", "market"), parsers.TARGETS)


@TARGETS
@pytest.mark.parametrize("inputs", [120, pytest.param(500, marks=pytest.mark.proof)])
def test_bodies_of_the_right_shape_are_accounted_for(kind, market, inputs):
    report = parsers.by_structure(kind, market, inputs=inputs)
    assert report.finding == ""
    assert report.inputs == inputs
    assert len(report.counts) >= 2


@pytest.mark.parametrize("inputs", [2000, pytest.param(20_000, marks=pytest.mark.proof)])
def test_bytes_chosen_by_coverage_are_accounted_for(tmp_path, inputs):
    reports = parsers.all_by_coverage(inputs=inputs, folder=tmp_path)
    assert [report.finding for report in reports] == [""] * 4
    assert all(report.inputs >= inputs and len(report.counts) >= 2 for report in reports)


def test_the_mutator_never_changes_what_it_chooses_from():
    before, random = repr(json_mutator._VALUES), Random(1)
    for _ in range(5000):
        json_mutator.mutate(b"[[1]]", random)
    assert repr(json_mutator._VALUES) == before


@pytest.mark.parametrize("market", list(Market))
def test_what_the_markets_document_is_read(market):
    body = json.dumps(seeds.EVENTS[market])
    assert feed_messages.check(market, body, "unit") == "quote"
    assert feed_messages.check(market, json.dumps(seeds.envelope(body)), "unit") == "quote"
    counts = [venue_answers.check(market, 200, json.dumps(answer).encode()) for answer in seeds.ANSWERS[market]]
    assert counts == ["fill", "refused", "doubtful refusal"]


@pytest.mark.parametrize("market", list(Market))
def test_what_misleads_is_read_for_what_it_proves(market):
    counts = [venue_answers.check(market, 200, json.dumps(answer).encode()) for answer in seeds.LIES[market]]
    assert counts == [
        *["fill"] * 9,
        *["nothing traded", "mismatch", "mismatch"],
        *["doubtful refusal"] * 5,
        "refused",
        *["doubtful refusal"] * 6,
        *["unclear"] * 2,
    ]


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("status", sorted({*STATUSES} - {200, 400, 403, 404, 422}))
def test_a_refusal_under_another_status_is_none(market, status):
    plain = json.dumps(seeds.ANSWERS[market][1]).encode()
    assert venue_answers.check(market, status, plain) in {"doubtful refusal", "unclear"}


def replace_parser(monkeypatch, market, parse):
    wrong = {**{name: getattr(FEEDS[market], name) for name in FEEDS[market].__slots__}, "parse": parse}
    monkeypatch.setitem(FEEDS, market, type(FEEDS[market])(**wrong))


def test_a_parser_that_drops_a_digit_would_be_found(monkeypatch):
    right = FEEDS[Market.MOS_ESPA].parse

    def wrong(body, basis):
        quote = right(body, basis)
        low = type(quote.sell[0])(quote.sell[0].quantity, quote.sell[0].unit_price - Decimal("1e-20"))
        return type(quote)(quote.event_id, quote.market_time, (low, *quote.sell[1:]), quote.buy)

    replace_parser(monkeypatch, Market.MOS_ESPA, wrong)
    with pytest.raises(feed_messages.Unsound):
        feed_messages.check(Market.MOS_ESPA, json.dumps(seeds.MOS_ESPA_EVENT), "unit")


def test_a_parser_that_skips_beskar_would_be_found(monkeypatch):
    replace_parser(monkeypatch, Market.BLACK_SPIRE_OUTPOST, lambda body, basis: Skipped("STEEL:MANDALORIAN"))
    assert "Unsound" in parsers.by_structure("feed", Market.BLACK_SPIRE_OUTPOST, inputs=20).finding


@pytest.mark.parametrize(
    "taken_for",
    [
        lambda response, request_id: Refused("no"),
        lambda response, request_id: Refused("no", "a doubt"),
        lambda response, request_id: Traded("x", Decimal(1), Decimal(1), echo_fits=True, figures=""),
        lambda response, request_id: None,
        lambda response, request_id: 1 / 0,
    ],
)
def test_a_reader_that_takes_anything_for_proof_would_be_found(monkeypatch, taken_for):
    monkeypatch.setattr(VENUES[Market.MOS_ESPA], "read", taken_for)
    assert parsers.by_structure("venue", Market.MOS_ESPA, inputs=50).finding


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ("Refused.is_clean", property(lambda refused: True)),
        ("Refused.is_clean", property(lambda refused: not refused.doubt)),
        ("Refused.calls_it_a_duplicate", property(lambda refused: False)),
        ("Earlier.may_have_traded", property(lambda earlier: False)),
        ("REFUSALS_BELIEVED", 1),
        ("REFUSALS_BELIEVED", 2),
        ("REFUSALS_BELIEVED", 4),
    ],
)
def test_a_rule_that_is_broken_would_be_found(monkeypatch, market, rule, wrong):
    monkeypatch.setattr(f"liquidation.verdicts.{rule}", wrong)
    assert parsers.by_structure("venue", market, inputs=300).finding


@pytest.mark.parametrize("market", list(Market))
@pytest.mark.parametrize("says", [lambda value: value is not None, bool, lambda value: value not in (None, False)])
def test_a_reader_that_hears_something_in_silence_would_be_found(monkeypatch, market, says):
    for module in ("answers", market.value):
        monkeypatch.setattr(f"liquidation.venues.{module}.says", says)
    assert parsers.by_structure("venue", market, inputs=500).finding


@pytest.mark.parametrize(
    ("amount", "fits"),
    [("1", True), ("9" * 20 + "." + "9" * 24, True), ("1e19", True), ("10e19", False), ("1e-24", True), ("0e5", False)],
)
def test_the_second_opinion_on_amounts(amount, fits):
    assert can_be_stored(amount) is fits


def test_the_second_opinion_on_bodies():
    good, schema = {"requestId": "r", "loanId": "l", "borrowerId": "b", "amount": "1"}, accepted_schema()
    assert is_good(json.dumps(good | {"other": [1]}).encode(), schema)
    for change in ({"amount": 1}, {"amount": "0"}, {"amount": "1\n"}, {"loanId": " "}, {"loanId": "\ud800"}):
        assert not is_good(json.dumps(good | change).encode(), schema)
    assert not is_good(json.dumps(good).encode()[:-1] + b', "amount": "1"}', schema)
