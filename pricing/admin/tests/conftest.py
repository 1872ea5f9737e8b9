"""A representative's browser."""

import pytest

from coruscant.admin.tests.bank import make_representative, set_price


@pytest.fixture
def browser(client, db, clean_cache):
    set_price("50")
    client.force_login(make_representative())
    return client
