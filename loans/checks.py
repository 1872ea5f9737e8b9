"""The system checks of the loan terms: they are those of the settings, and fit whatever depends on them."""

from collections.abc import Sequence
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import connection, connections

from coruscant.money import decimal_string
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


@register(Tags.database)
def notices_fit(databases: Sequence[str] | None = None, **_options: Any) -> list[CheckMessage]:
    """An error for each of the terms in use under which notice would not come before the margin call, or not end.

    Run as `terms_fit` is. A notice is given between the LTV that ends it and that of the margin call.
    """
    notice_ltv = settings.MARGIN_NOTICE_LTV
    if notice_ltv is None or not databases or LoanTerms._meta.db_table not in connection.introspection.table_names():
        return []
    if not LoanTerms.objects.exists():
        return []
    hint = "Change MARGIN_NOTICE_LTV, leave it empty, or move the loans under these terms to others."
    return [
        Error(
            f"MARGIN_NOTICE_LTV={decimal_string(notice_ltv)} is not from the clearing LTV to below the margin call LTV"
            f" of terms {version}: {terms.in_words(thresholds)}.",
            hint=hint,
            id="loans.E003",
        )
        for version, thresholds in terms.in_use().items()
        if not thresholds.margin_call_clear_ltv <= notice_ltv < thresholds.margin_call_ltv
    ]
