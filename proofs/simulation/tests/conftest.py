"""A clone of the test database, which the actors of a simulation may commit to."""

import pytest
from django.db import connections

from proofs.simulation.database import clone
from proofs.simulation.scheduler import Scheduler


@pytest.fixture
def database(stack, transactional_db):
    template = f"{connections['default'].settings_dict['NAME']}_template"
    with clone(stack.superuser_database_url, template, "test_simulation") as cloned:
        cloned.empty()
        yield cloned


@pytest.fixture
def scheduler(database):
    scheduler = Scheduler(3, database.monitor)
    yield scheduler
    scheduler.end()
