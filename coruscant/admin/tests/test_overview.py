"""What waits for a person."""

import pytest

from coruscant.admin.overview import cards
from coruscant.admin.tests.bank import make_bank


@pytest.mark.django_db
@pytest.mark.usefixtures("clean_cache")
def test_what_waits_for_a_person_is_counted(rf):
    make_bank()
    found = {card.title: card for card in (card(rf.get("/")) for card in cards)}
    assert found["Waiting for a person"].figure == "1"
    assert found["Failed claims"].figure == "1"
    assert found["Waiting for a person"].kind == "danger"
