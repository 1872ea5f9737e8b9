"""The web process on the test database, for a client with a credential."""

import pytest

from proofs.fuzzing import example_loans
from proofs.fuzzing.service import serving


@pytest.fixture
def service(stack, transactional_db, clean_cache):
    with serving(stack, threads=25) as running:
        yield running


@pytest.fixture
def loans_in_every_state(transactional_db, clean_cache):
    example_loans.prepare()
