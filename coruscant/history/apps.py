"""Registers the check that compares the installed triggers with the models."""

from django.apps import AppConfig


class HistoryConfig(AppConfig):
    name = "coruscant.history"
    label = "coruscant_history"

    def ready(self) -> None:
        from coruscant.history import checks  # noqa: F401, PLC0415  (apps must be ready)
