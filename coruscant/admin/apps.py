"""Django's entry for the templates that all admin pages share."""

from django.apps import AppConfig


class AdminBaseConfig(AppConfig):
    """Makes `coruscant/admin/templates` known."""

    name = "coruscant.admin"
    label = "coruscant_admin"
