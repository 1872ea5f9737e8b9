"""The groups of the bank's people, and what each may do beside reading."""

from typing import Any, Final

from django.apps import AppConfig
from django.conf import settings
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Group, Permission
from django.db import connections
from django.db.models import Q

VIEWERS: Final = "Viewers"
REPRESENTATIVES: Final = "Representatives"
RISK_OFFICERS: Final = "Risk officers"
OPERATORS: Final = "Operators"
AUDITORS: Final = "Auditors"

#: The apps of which each group sees every table.
APPS: Final = ("pricing", "loans", "liquidation", "restores", "knox", "approvals", "controls", "desk")
_EVIDENCE = "desk.take_evidence"
_DECIDE = "approvals.change_approval"
#: What a group may do beside seeing: each permission stands for commands of the admin.
COMMANDS: Final = {
    VIEWERS: (),
    REPRESENTATIVES: ("loans.add_loan", "loans.add_collateralposting", _DECIDE, _EVIDENCE),
    RISK_OFFICERS: (
        "loans.add_loanterms",
        "pricing.add_priceguard",
        "controls.add_control",
        "controls.change_control",
        "desk.add_stressscenario",
        "desk.delete_stressscenario",
        "desk.add_policyreplay",
        _DECIDE,
        _EVIDENCE,
    ),
    OPERATORS: (
        "liquidation.change_tradeorder",
        "liquidation.change_reconciliationdifference",
        "knox.delete_authtoken",
        "loans.change_apiclient",
        _DECIDE,
        _EVIDENCE,
    ),
    AUDITORS: (_EVIDENCE, "admin.view_logentry"),
}


#: Groups that code names beside those of COMMANDS; the apps add theirs.
also_named: set[str] = set()


def is_named(name: str) -> bool:
    """Whether code or settings know a group by this name: under another, they would find nobody, and not say so."""
    return name in {*COMMANDS, *also_named, *settings.SECOND_FACTOR_GROUPS}


def update_groups(app_config: AppConfig, using: str, **_signal: Any) -> None:
    """Give every group its permissions on one app, after each migration of it.

    A `post_migrate` handler and not a migration: Django makes permissions after migrating, and this way a model
    added later can be seen without anyone having to think of it. Idempotent. It only adds: what an administrator has
    given a group beyond it stays. Does nothing before the tables of auth exist.
    """
    label = app_config.label
    if label not in APPS and not any(one.startswith(f"{label}.") for commands in COMMANDS.values() for one in commands):
        return
    if Group._meta.db_table not in connections[using].introspection.table_names():
        return
    create_permissions(app_config, verbosity=0, using=using)
    of_app = Permission.objects.using(using).filter(content_type__app_label=label)
    seen = Q(codename__startswith="view_") if label in APPS else Q(pk__in=())
    for name, commands in COMMANDS.items():
        group, _ = Group.objects.using(using).get_or_create(name=name)
        names = [command.split(".")[1] for command in commands if command.startswith(f"{label}.")]
        group.permissions.add(*of_app.filter(seen | Q(codename__in=names)))
