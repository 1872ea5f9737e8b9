"""The group of bank representatives and what it may do."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models import Q
from django.db.models.signals import post_migrate

GROUP = "Bank representatives"

_commands: dict[str, set[str]] = {}


def grant(app_label: str, *codenames: str) -> None:
    """Let the representatives see everything of an app and give them these permissions, which stand for commands."""
    _commands[app_label] = set(codenames)


def put_in_place(app_config: AppConfig, using: str, **_signal: Any) -> None:
    """Give the group its permissions on one app, after each migration of it.

    A `post_migrate` handler and not a migration: permissions are themselves made after migrating, and a model added
    later is seen by the representatives without anyone having to think of it. It only adds: what an administrator
    gave beyond it stays. Does nothing before auth's own tables exist.
    """
    if app_config.label not in _commands:
        return
    if Group._meta.db_table not in connections[using].introspection.table_names():
        return
    create_permissions(app_config, verbosity=0, using=using)
    group, _ = Group.objects.using(using).get_or_create(name=GROUP)
    wanted = Q(codename__startswith="view_") | Q(codename__in=_commands[app_config.label])
    group.permissions.add(*Permission.objects.using(using).filter(wanted, content_type__app_label=app_config.label))


post_migrate.connect(put_in_place, dispatch_uid="coruscant.admin.groups")
