"""What the demo reads out of the service's metrics."""

from decimal import Decimal

import pytest
from django.urls import reverse

from coruscant.controls.tests.support import pull_it
from liquidation.conftest import quote  # noqa: F401  (a fixture)
from local.demo.said import Said, read
from pricing.markets import Market

pytestmark = pytest.mark.django_db


def test_prices_that_agree_are_the_best_price_and_no_doubt(client, quote):  # noqa: F811
    quote("31")
    assert read(client.get(reverse("metrics")).content.decode()) == Said(best=Decimal("31.0"))


def test_false_price_and_a_pause_are_told(client, quote, asked_in_turn):  # noqa: F811
    pull_it()
    for number, price in enumerate(("31", "5000", "5000")):
        quote(price, ago=3 - number)
        quote("31", market=Market.BLACK_SPIRE_OUTPOST, ago=3 - number)
    said = read(client.get(reverse("metrics")).content.decode())
    told = Said(best=Decimal("31.0"), disputed=True, suspect=("mos_espa",), controls=("pause_claims",))
    assert said == told
    assert said.paused


def test_nothing_is_said_by_an_empty_answer():
    assert read("") == Said()
