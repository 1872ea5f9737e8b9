"""What the index page shows."""

import pytest
from django.urls import reverse

from coruscant.admin.tests.bank import make_bank, make_representative


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_cache")
def test_the_overview_counts_what_waits_for_a_person(client):
    make_bank()
    client.force_login(make_representative())
    cards = {card.title: card for card in client.get(reverse("admin:index")).context["cards"]()}
    assert cards["Waiting for a person"].figure == "1"
    assert cards["Failed claims"].figure == "1"
    assert cards["Rejected messages"].figure == "1"
    assert cards["Best price"].figure == "50 GC"
