"""`manage.py stress_test` says what the page says."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from desk.book import snapshot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clean_cache")]


def said(*arguments):
    out = StringIO()
    call_command("stress_test", *arguments, stdout=out)
    return out.getvalue()


@pytest.fixture
def book(loan, quote):
    quote("50")
    loan(amount="1440")
    snapshot.take()


def test_a_fall_or_a_price_as_json(book):
    fallen = json.loads(said("--drop", "30", "--json"))
    assert (fallen["asked"]["price"], fallen["asked"]["shortfall"]) == ("35", "40")
    assert json.loads(said("--price", "35", "--json")) == fallen


def test_in_lines_for_a_person(book):
    lines = said("--drop", "30").splitlines()
    assert "price              35" in lines
    assert "shortfall          40" in lines


def test_it_says_why_there_is_no_answer(book):
    for arguments in (("--drop", "100"), ("--price", "much"), (), ("--drop", "30", "--price", "30")):
        with pytest.raises(CommandError):
            said(*arguments)


def test_without_a_snapshot_there_is_no_answer(quote):
    quote("50")
    with pytest.raises(CommandError, match="No snapshot"):
        said("--drop", "30")
