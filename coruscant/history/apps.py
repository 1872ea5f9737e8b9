"""Django's entry for the history's system check."""

from django.apps import AppConfig


class HistoryConfig(AppConfig):
    """Registers the check that compares the installed triggers with the models."""

    name = "coruscant.history"
    label = "coruscant_history"

    def ready(self) -> None:
        """Register the check."""
        from coruscant.history import checks  # noqa: F401, PLC0415  (apps must be ready)
