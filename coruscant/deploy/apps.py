"""Lets every migrate grant the service's role what it needs, and registers the check of that."""

from django.apps import AppConfig, apps
from django.db.models.signals import post_migrate


class DeployConfig(AppConfig):
    name = "coruscant.deploy"
    label = "coruscant_deploy"

    def ready(self) -> None:
        from coruscant.deploy import checks, privileges  # noqa: F401, PLC0415  (apps must be ready)

        # Once a migrate, when all is migrated: the signal is sent for each app that has models, and this one has none.
        post_migrate.connect(
            privileges.grant, sender=apps.get_app_config("contenttypes"), dispatch_uid="coruscant.deploy.privileges"
        )
