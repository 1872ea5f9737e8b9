"""Pytest plugin: `MUTANT=name pytest -p proofs.mutants.plugin` runs tests against a service with that bug in it."""

import os
from typing import Any

import pytest

from proofs.mutants.catalogue import named
from proofs.mutants.planting import plant

MUTANT = named(os.environ["MUTANT"])

plant(MUTANT)


@pytest.hookimpl(trylast=True)
def pytest_configure() -> None:
    """Change the test database once it is migrated, before it is cloned."""
    from django.db.models.signals import post_migrate  # noqa: PLC0415  (needs the settings)

    post_migrate.connect(_run_statement, dispatch_uid="mutants")


def _run_statement(*, using: str, **_signal: Any) -> None:
    from django.apps import apps  # noqa: PLC0415
    from django.db import connections  # noqa: PLC0415

    if not MUTANT.sql or _signal["app_config"] is not list(apps.get_app_configs())[-1]:
        return
    with connections[using].cursor() as cursor:
        cursor.execute(MUTANT.sql)
