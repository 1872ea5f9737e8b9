"""The loans app."""

from django.apps import AppConfig


class LoansConfig(AppConfig):
    """Django's entry for the app."""

    name = "loans"
    verbose_name = "Loans"
    default_auto_field = "django.db.models.BigAutoField"
