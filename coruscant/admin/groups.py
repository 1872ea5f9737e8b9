"""The group of bank representatives, and the permissions it holds."""

from typing import Any

from django.apps import AppConfig
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models import Q

GROUP = "Bank representatives"

#: The apps of which representatives see every table, and what else they may do there: each is a command.
COMMANDS = {
    "pricing": ("add_priceguard",),
    "loans": ("add_loan", "add_collateralposting", "add_loanterms"),
    "liquidation": ("change_tradeorder", "change_reconciliationdifference"),
    "restores": (),
    "knox": ("delete_authtoken",),
    "approvals": ("change_approval",),
    "controls": ("add_control", "change_control"),
}


def update_group(app_config: AppConfig, using: str, **_signal: Any) -> None:
    """Give the group its permissions on one app, after each migration of it.

    A `post_migrate` handler and not a migration: Django makes permissions after migrating, and this way a model
    added later is visible to representatives without anyone having to think of it. Idempotent. It only adds: what an
    administrator has given the group beyond it stays. Does nothing before the tables of auth exist.
    """
    if app_config.label not in COMMANDS:
        return
    if Group._meta.db_table not in connections[using].introspection.table_names():
        return
    create_permissions(app_config, verbosity=0, using=using)
    group, _ = Group.objects.using(using).get_or_create(name=GROUP)
    wanted = Q(codename__startswith="view_") | Q(codename__in=COMMANDS[app_config.label])
    group.permissions.add(*Permission.objects.using(using).filter(wanted, content_type__app_label=app_config.label))
