"""Makes the shared admin templates an app, so that Django finds them, and keeps the groups of the bank's people."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AdminBaseConfig(AppConfig):
    name = "coruscant.admin"
    label = "coruscant_admin"

    def ready(self) -> None:
        from coruscant.admin.groups import update_groups  # noqa: PLC0415  (apps must be ready)

        post_migrate.connect(update_groups, dispatch_uid="coruscant.admin.groups")
