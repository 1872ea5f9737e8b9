"""deploy/roles.sql by itself: under roles of other names, in a database of its own."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest

from local.stack.postgres import ROLES
from tests.compose import ROOT, read_example, read_services

#: In the place of `coruscant`, which is the service whose database the other tests use.
SERVICE, OWNER, DATABASE = "another_bank", "another_bank_owner", "another_bank"
SCRIPT = ROLES.read_text().replace("coruscant", SERVICE)

STATE = """
    SELECT rolname, to_jsonb(r) - 'oid' FROM pg_roles AS r WHERE rolname LIKE 'another_bank%'
    UNION ALL SELECT datdba::regrole::text, to_jsonb(datacl::text) FROM pg_database WHERE datname = current_database()
    UNION ALL SELECT 'public', to_jsonb(nspacl::text) FROM pg_namespace WHERE nspname = 'public'
    UNION ALL SELECT 'default', to_jsonb(defaclacl::text) FROM pg_default_acl
    UNION ALL SELECT relname, to_jsonb(relowner::regrole::text || coalesce(relacl::text, ''))
        FROM pg_class WHERE relnamespace = 'public'::regnamespace
    ORDER BY 1, 2
"""


@pytest.fixture
def connect(stack: Any) -> Iterator[Any]:
    """Connects to an empty database of a cluster without these roles, as any role; `postgres` is its superuser."""
    server, _, _name = stack.superuser_database_url.removeprefix("postgres://postgres@").rpartition("/")
    links = []

    def connect(role: str, database: str = DATABASE) -> "psycopg.Connection[Any]":
        links.append(psycopg.connect(f"postgres://{role}@{server}/{database}", autocommit=True))
        return links[-1]

    maintenance = connect("postgres", "postgres")
    maintenance.execute("CREATE ROLE administrator LOGIN CREATEROLE CREATEDB")
    maintenance.execute(f"CREATE DATABASE {DATABASE} OWNER administrator")
    yield connect
    maintenance.execute(f"DROP DATABASE {DATABASE} WITH (FORCE)")
    for role in (SERVICE, OWNER, "administrator"):
        maintenance.execute(f"DROP ROLE IF EXISTS {role}")
    for link in links:
        link.close()


@pytest.mark.parametrize("administrator", ["postgres", "administrator"])
def test_any_administrator_may_run_it_and_a_second_time_it_changes_nothing(connect: Any, administrator: str) -> None:
    link = connect(administrator)
    link.execute(SCRIPT)
    before = link.execute(STATE).fetchall()
    link.execute(SCRIPT)
    assert link.execute(STATE).fetchall() == before
    roles = {name: said for name, said in before if name in (SERVICE, OWNER) and isinstance(said, dict)}
    assert len(roles) == 2
    for said in roles.values():
        can = {name for name, value in said.items() if value is True}
        assert can == {"rolcanlogin", "rolinherit"}


@pytest.mark.parametrize("administrator", ["postgres", "administrator"])
def test_the_owner_makes_tables_and_the_service_reads_them_until_it_is_granted_more(
    connect: Any, administrator: str
) -> None:
    connect(administrator).execute(SCRIPT)
    connect(OWNER).execute("CREATE TABLE loan (id bigint GENERATED ALWAYS AS IDENTITY); CREATE SEQUENCE number")
    service = connect(SERVICE)
    assert service.execute("SELECT * FROM loan").fetchall() == []
    for statement in (
        "INSERT INTO loan DEFAULT VALUES", "DELETE FROM loan", "TRUNCATE loan", "ALTER TABLE loan ADD COLUMN more int",
        "DROP TABLE loan", "SELECT nextval('number')", "CREATE TABLE another ()", "CREATE TEMPORARY TABLE another ()",
        "CREATE SCHEMA another", f"DROP DATABASE {DATABASE}", f"SET ROLE {OWNER}", "CREATE ROLE another SUPERUSER",
        f"ALTER ROLE {SERVICE} CREATEROLE", "SET session_replication_role = replica",
    ):  # fmt: skip
        with pytest.raises((psycopg.errors.InsufficientPrivilege, psycopg.errors.ObjectInUse)):
            service.execute(statement)


def test_a_database_that_the_service_owned_becomes_the_owners_with_all_that_is_in_it(connect: Any) -> None:
    superuser = connect("postgres")
    superuser.execute(f"CREATE ROLE {SERVICE} LOGIN CREATEDB CREATEROLE")
    superuser.execute(f"ALTER DATABASE {DATABASE} OWNER TO {SERVICE}")
    connect(SERVICE).execute(
        """
        CREATE TABLE loan (id bigint GENERATED ALWAYS AS IDENTITY, old serial);
        CREATE SEQUENCE number;
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN END';
        """
    )
    superuser.execute(SCRIPT)
    owners = superuser.execute(
        """
        SELECT relowner::regrole::text FROM pg_class WHERE relnamespace = 'public'::regnamespace
        UNION SELECT proowner::regrole::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace
        UNION SELECT datdba::regrole::text FROM pg_database WHERE datname = current_database()
        """
    )
    assert owners.fetchall() == [(OWNER,)]
    service = connect(SERVICE)
    assert service.execute("SELECT * FROM loan").fetchall() == []
    for statement in ("DROP TABLE loan", "DROP FUNCTION refuse", "CREATE DATABASE another", "CREATE ROLE another"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            service.execute(statement)


def test_a_service_that_is_a_member_of_the_owner_is_refused_in_words(connect: Any) -> None:
    superuser = connect("postgres")
    superuser.execute(SCRIPT)
    superuser.execute(f"GRANT {OWNER} TO {SERVICE}")
    with pytest.raises(psycopg.errors.RaiseException, match="is a member of another_bank_owner"):
        superuser.execute(SCRIPT)


def test_compose_makes_both_roles_with_the_passwords_of_its_addresses(connect: Any) -> None:
    mounts = [volume.split(":") for volume in read_services()["postgres"]["volumes"] if volume.startswith("./")]
    assert {(target.rpartition("/")[0], how) for _, target, how in mounts} == {("/docker-entrypoint-initdb.d", "ro,z")}
    superuser = connect("postgres")
    for source, _target, _how in sorted(mounts, key=lambda mount: mount[1]):  # as PostgreSQL's entry runs them
        superuser.execute((ROOT / source).read_text().replace("coruscant", SERVICE))
    kept = superuser.execute("SELECT rolname, rolpassword FROM pg_authid WHERE rolname LIKE 'another_bank%'").fetchall()
    assert sorted(name for name, _ in kept) == [SERVICE, OWNER]
    assert all(password.startswith("SCRAM-SHA-256$") for _, password in kept)
    passwords = (ROOT / "deploy" / "development-passwords.sql").read_text()
    for name in ("DATABASE_URL", "MIGRATIONS_DATABASE_URL"):
        address = urlsplit(read_example()[name])
        assert f"ALTER ROLE {address.username} PASSWORD '{address.password}';" in passwords
