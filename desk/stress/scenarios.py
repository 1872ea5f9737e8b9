"""Scenarios that people keep. Who saved or deleted one is kept in the admin's log, and logged."""

from decimal import Decimal
from typing import ClassVar

import structlog
from django.contrib.admin.models import ADDITION, DELETION, LogEntry
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from coruscant import clock
from coruscant.errors import DomainError
from desk.models import StressScenario

log = structlog.get_logger(__name__)


class NameTaken(DomainError):
    """There is another scenario of this name."""

    code = "name-taken"
    title = "The name is taken"
    status: ClassVar[int] = 409


def saved() -> QuerySet[StressScenario]:
    """All scenarios, by name."""
    return StressScenario.objects.all()


def save(name: str, *, price: Decimal | None, fall: Decimal | None, by: User) -> StressScenario:
    """Save a scenario: a price or a fall. Raises NameTaken."""
    try:
        with transaction.atomic():
            made = StressScenario.objects.create(
                name=name, price=price, fall=fall, saved_by=by.get_username(), saved_at=clock.now()
            )
            _note(made, by, ADDITION)
    except IntegrityError:
        if StressScenario.objects.filter(name=name).exists():
            raise NameTaken(f"There is a scenario “{name}” already. Delete it first, or take another name.") from None
        raise
    log.info("stress_scenario_saved", name=name, by=by.get_username())
    return made


def delete(scenario: StressScenario, *, by: User) -> None:
    """Delete a scenario. Deleting one that is gone does nothing."""
    with transaction.atomic():
        found = StressScenario.objects.select_for_update().filter(pk=scenario.pk).first()
        if found is None:
            return
        _note(found, by, DELETION)
        found.delete()
    log.info("stress_scenario_deleted", name=scenario.name, by=by.get_username())


def _note(scenario: StressScenario, by: User, flag: int) -> None:
    LogEntry.objects.log_actions(by.pk, [scenario], flag, single_object=True)
