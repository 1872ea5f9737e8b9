"""Makes `coruscant.web` an app, so that its signal handlers are connected when Django starts."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """What every HTTP answer shares."""

    name = "coruscant.web"
    label = "coruscant_web"

    def ready(self) -> None:
        """Connect the signal handlers."""
        from coruscant.web import request_log  # noqa: F401, PLC0415  (connects by being imported)
