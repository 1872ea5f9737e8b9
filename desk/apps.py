"""The desk app, the last of the installed ones: its admin puts its own pages in place of others."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "desk"

    def ready(self) -> None:
        """Make the overview the admin's first page."""
        from django.contrib.admin import site  # noqa: PLC0415  (apps must be ready)

        site.index_template = "desk/overview/index.html"
