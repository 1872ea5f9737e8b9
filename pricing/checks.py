"""The system check that the guard and the loans' thresholds fit each other."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import DatabaseError, connection

from coruscant import clock
from pricing import reading
from pricing.guard import Mode, in_force
from pricing.two_people import least_jump


@register(Tags.database)
def no_fall_within_a_loan_s_life_is_a_jump(
    databases: Sequence[str] | None = None, **_options: Any
) -> list[CheckMessage]:
    """An error if a price could fall from activation to liquidation only by a jump.

    Run by `manage.py check --database default`, and by `migrate`. Says nothing of a database without the guard's table.
    """
    if not databases:
        return []
    try:
        if "pricing_priceguard" not in connection.introspection.table_names():
            return []
        guard = in_force(reading.guards(), clock.now())
    except DatabaseError:
        return []
    if guard.mode is Mode.OFF or guard.jump > least_jump():
        return []
    return [
        Error(
            f"The guard takes a fall of more than {guard.jump} for a jump, and a loan may be liquidated by one of"
            f" {least_jump()}.",
            hint="Ask for a guard with a larger jump (docs/price-rules.md). It must fit all terms that loans may have.",
            id="pricing.E001",
        )
    ]
