"""The system check that the groups of SECOND_FACTOR_GROUPS exist: people of a misspelt one would be asked for none."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from coruscant.admin.groups import COMMANDS


@register(Tags.database)
def groups_exist(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """An error for each name that is no group, nor one that `migrate` makes: that runs only without errors.

    Says nothing of a database without any groups yet.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        if Group._meta.db_table not in connections[alias].introspection.table_names():
            continue
        names = set(Group.objects.using(alias).values_list("name", flat=True))
        found += [
            Error(f"SECOND_FACTOR_GROUPS names {name!r}, and there is no such group.", id="second_factor.E001")
            for name in settings.SECOND_FACTOR_GROUPS
            if names and name not in names | COMMANDS.keys()
        ]
    return found
