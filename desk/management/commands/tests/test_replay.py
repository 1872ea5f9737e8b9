"""`manage.py replay` says what a past interval would have been, and writes nothing."""

import io
import json

import pytest
from django.core.management import CommandError, call_command

from coruscant import clock
from desk.replay.models import PolicyReplay
from liquidation import evaluate

pytestmark = pytest.mark.django_db


@pytest.fixture
def past(quote, loan, enqueued):
    start = clock.now()
    loan(), loan(collateral="50")
    for price in ("50", "31"):
        quote(price)
        evaluate.evaluate_loans()
    return f"--from={start.isoformat()}", f"--to={clock.now():%Y-%m-%dT%H:%M:%S.%f}"


def run(*options):
    out = io.StringIO()
    call_command("replay", *options, stdout=out)
    return out.getvalue()


def test_it_says_what_would_have_been_otherwise(past):
    said = run(*past, "--liquidation-ltv=0.64", "--margin-call-ltv=0.62").splitlines()
    assert said[0].endswith("Liquidation at 64 %, margin calls at 62 %.")
    assert said[1].startswith("Sold: 1 that were not sold would have been, owing 1,000.00 GC")
    assert not PolicyReplay.objects.exists()


def test_it_fails_on_request_if_anything_is_not_as_it_really_was(past):
    assert run(*past, "--same").splitlines()[1].startswith("Sold: all 1 as they were")
    with pytest.raises(CommandError, match=r"Not as it really was: \S+ \(sold, onlyReplay\)"):
        run(*past, "--same", "--liquidation-ltv=0.64", "--margin-call-ltv=0.62")


def test_all_of_it_is_printed_as_json(past):
    found = json.loads(run(*past, "--liquidation-ltv=0.64", "--margin-call-ltv=0.62", "--json"))
    assert found["terms"] == {"liquidation_ltv": "0.64", "margin_call_ltv": "0.62"}
    assert found["totals"]["sold"]["onlyReplay"] == {"loans": 1, "owed": "1000"}


@pytest.mark.parametrize("option", ["--liquidation-ltv=0.5", "--liquidation-ltv=0", "--to=2020-01-01", "--from=soon"])
def test_what_cannot_be_replayed_is_refused_in_a_sentence(past, option):
    with pytest.raises(CommandError):
        run(*past, option)
