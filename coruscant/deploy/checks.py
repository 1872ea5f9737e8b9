"""The system check that the service's role has the privileges which it needs, and no others."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import WARNING, CheckMessage, Tags, register
from django.db import connections

from coruscant.deploy import privileges


@register(Tags.database)
def the_service_has_its_privileges(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """A warning for each statement that is missing: no error, since `migrate` would not run then, and it mends this.

    Run by `manage.py check --database default`. Says nothing where there is no role of that name.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        with connections[alias].cursor() as cursor:
            found += [
                CheckMessage(
                    WARNING,
                    f"The privileges of {privileges.SERVICE} are not what they should be: {statement}.",
                    hint="Run `manage.py migrate` as the tables' owner.",
                    id="deploy.W001",
                )
                for statement in privileges.differences(cursor)
            ]
    return found
