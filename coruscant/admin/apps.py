"""Makes the shared admin templates an app, so that Django finds them."""

from django.apps import AppConfig


class AdminBaseConfig(AppConfig):
    """The app of `coruscant/admin/templates`."""

    name = "coruscant.admin"
    label = "coruscant_admin"
