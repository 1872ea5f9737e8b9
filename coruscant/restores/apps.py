"""Django's entry for the app."""

from django.apps import AppConfig


class RestoresConfig(AppConfig):
    """The app of restored and replaced databases."""

    name = "coruscant.restores"
    label = "restores"
    verbose_name = "Restores"
    default_auto_field = "django.db.models.BigAutoField"
