"""Registers the check of the loan terms."""

from django.apps import AppConfig


class LoansConfig(AppConfig):
    name = "loans"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from loans import checks  # noqa: F401, PLC0415  (models must be loaded)
