"""What the service's role may do with each table: granted by `manage.py migrate`, to the role of deploy/roles.sql.

It reads everything, writes no history (triggers do, with their owner's rights), and deletes only what the service
deletes. Every table has to stand here; a test compares. A privilege that a release needs no more goes in the release
after it, since both run at the same time during a deploy.
"""

from collections.abc import Iterator
from typing import Any, Final

from django.db import connections, transaction

from coruscant.history.records import audited_models, history_of

#: The role that the service runs under.
SERVICE: Final = "coruscant"

_READ = frozenset({"SELECT"})
_ADD = _READ | {"INSERT"}
_CHANGE = _ADD | {"UPDATE"}
_DELETE = _CHANGE | {"DELETE"}

#: Beside history. FOR UPDATE needs UPDATE, and an account that is deleted takes its log of the admin with it.
_TABLES: Final = {
    _READ: "django_migrations django_content_type auth_permission axes_accesslog axes_accessfailurelog",
    _ADD: """
        restores_databaseidentity pricing_priceguard pricing_heldjump loans_loanterms
        loans_acceptedrequest loans_collateralposting liquidation_orderanswer liquidation_statementtrade
        liquidation_withheldclaim
    """,
    _CHANGE: """
        approvals_approval controls_control restores_restore pricing_feed pricing_feedevaluation pricing_rejectedmessage
        loans_loan loans_margincall loans_marginnotice loans_loanevent liquidation_liquidation liquidation_tradeorder
        liquidation_liquidationevent liquidation_venue liquidation_reconciliation
        liquidation_reconciliationdifference desk_policyreplay desk_priceatrisk loans_apiclient loans_credentialuse
    """,
    _DELETE: """
        django_session django_admin_log auth_user auth_user_groups auth_user_user_permissions auth_group
        auth_group_permissions knox_authtoken axes_accessattempt axes_accessattemptexpiration pricing_pricequote
        loans_loaneventtopic liquidation_claimfailure desk_booksnapshot desk_stressscenario
        otp_totp_totpdevice otp_static_staticdevice otp_static_statictoken
    """,
}
_SEQUENCES: Final = {"liquidation_evaluation_number": frozenset({"SELECT", "USAGE"})}

_GRANTED = """
    SELECT relname, coalesce(array_agg(privilege_type) FILTER (WHERE grantee IS NOT NULL), '{}')
    FROM pg_class
    JOIN pg_roles AS service ON service.rolname = %s AND service.oid <> relowner
    LEFT JOIN LATERAL aclexplode(relacl) ON grantee = service.oid
    WHERE relnamespace = current_schema()::regnamespace AND relname = ANY(%s)
    GROUP BY pg_class.oid ORDER BY relname
"""
_MISSING = """
    SELECT relname || ': ' || privilege
    FROM unnest(%s::text[], %s::text[]) AS wanted (relname, privilege)
    JOIN pg_class USING (relname)
    WHERE relnamespace = current_schema()::regnamespace AND NOT CASE relkind
        WHEN 'S' THEN has_sequence_privilege(pg_class.oid, privilege) ELSE has_table_privilege(pg_class.oid, privilege)
    END
    ORDER BY 1
"""


def of_tables() -> dict[str, frozenset[str]]:
    """The privileges on each table, by its name."""
    history = {history_of(model)._meta.db_table: _READ for model in audited_models()}
    return history | {name: privileges for privileges, names in _TABLES.items() for name in names.split()}


def differences(cursor: Any) -> Iterator[str]:
    """The statements that make the grants what they should be: none where all is well, or there is no such role.

    Names that the database does not have are passed over, as in going back to the release before; so are tables
    that the service's role owns, since grants do not bind an owner.
    """
    wanted = of_tables() | _SEQUENCES
    cursor.execute(_GRANTED, [SERVICE, list(wanted)])
    for name, granted in cursor.fetchall():
        kind = "SEQUENCE" if name in _SEQUENCES else "TABLE"
        if lacking := sorted(wanted[name] - set(granted)):
            yield f'GRANT {", ".join(lacking)} ON {kind} "{name}" TO "{SERVICE}"'
        if excess := sorted(set(granted) - wanted[name]):
            yield f'REVOKE {", ".join(excess)} ON {kind} "{name}" FROM "{SERVICE}"'


def grant(using: str, **_signal: Any) -> None:
    """Make the grants what they should be, after each migrate (`post_migrate`); takes the tables' owner.

    Idempotent, in one transaction, and it locks no table.
    """
    with transaction.atomic(using=using), connections[using].cursor() as cursor:
        for statement in list(differences(cursor)):
            cursor.execute(statement)


def missing(cursor: Any) -> list[str]:
    """What the role of this connection lacks to be the service, as `table: privilege`. More than needed is no lack."""
    wanted = [(name, one) for name, privileges in (of_tables() | _SEQUENCES).items() for one in privileges]
    cursor.execute(_MISSING, [[name for name, _ in wanted], [one for _, one in wanted]])
    return [found for (found,) in cursor.fetchall()]
