"""Django's entry for the app."""

from django.apps import AppConfig


class ControlsConfig(AppConfig):
    """The app of what people pull in an emergency."""

    name = "coruscant.controls"
    label = "controls"
    verbose_name = "Controls"
    default_auto_field = "django.db.models.BigAutoField"
