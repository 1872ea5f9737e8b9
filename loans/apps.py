"""Registers the check of the loan terms, and what they and the guard over prices ask of each other."""

from django.apps import AppConfig


class LoansConfig(AppConfig):
    name = "loans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loans import checks, terms  # noqa: F401, PLC0415  (models must be loaded)
        from pricing import two_people  # noqa: PLC0415  (likewise)

        terms.conditions.append(terms.is_no_jump)
        two_people.falls.append(terms.deepest_fall)
