"""Django's entry for the app."""

from django.apps import AppConfig


class ApprovalsConfig(AppConfig):
    """The app of what needs two people."""

    name = "coruscant.approvals"
    label = "approvals"
    verbose_name = "Two people"
    default_auto_field = "django.db.models.BigAutoField"
