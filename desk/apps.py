"""The desk app, the last of the installed ones: its admin puts its own pages in place of others."""

from django.apps import AppConfig
from django.contrib.admin import site


class DeskConfig(AppConfig):
    name = "desk"

    def ready(self) -> None:
        """Make the overview the admin's first page."""
        site.index_template = "desk/overview/index.html"
