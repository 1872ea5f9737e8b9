"""The system check of the loan terms: they are those of the settings, and nothing speaks against any of them."""

from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connections

from loans import terms
from loans.models import LoanTerms


@register(Tags.database)
def terms_fit(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """Errors if the settings differ from the newest terms, or if terms contradict something that they depend on.

    Run by `manage.py check --database default`, and by `migrate` before it migrates. Says nothing of a database without
    terms, which `migrate` is to make of the settings.
    """
    found: list[CheckMessage] = []
    for alias in databases or ():
        if LoanTerms._meta.db_table not in connections[alias].introspection.table_names():
            continue
        rows = list(LoanTerms.objects.using(alias))
        if rows and (why := terms.difference_from_settings(rows[0].thresholds)):
            hint = "Set them to the newest terms. Other terms are asked for by one person and agreed to by another."
            found.append(Error(why, hint=hint, obj=rows[0], id="loans.E001"))
        found += [
            Error(sentence, obj=row, id="loans.E002") for row in rows for sentence in terms.objections(row.thresholds)
        ]
    return found
