"""The desk app, the last of the installed ones: its admin puts its own pages in place of others."""

from django.apps import AppConfig


class DeskConfig(AppConfig):
    name = "desk"
