"""What a service that guards real money refuses to start with. DEBUG and DEMO accept all of it.

Each refusal is one sentence that names a setting, and shows no value of one.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from socket import inet_aton, inet_ntoa
from typing import Any
from urllib.parse import SplitResult, urlsplit
from uuid import UUID

import structlog
from django.conf import settings
from django.db import OperationalError, connection

from coruscant import __version__
from coruscant.deploy.secrets import withheld_from
from coruscant.public_addresses import is_public

log = structlog.get_logger(__name__)

#: Keys that anybody can read in this repository; a test looks for others.
PUBLIC_SECRET_KEYS = frozenset(
    {
        "development-only-secret-key-never-use-it-in-production",
        "another-secret-key-that-is-long-enough-to-be-accepted",
        "a secret for attacks, long enough to be accepted",
        "a secret for benchmarks, long enough to be accepted",
        "a secret for simulations, long enough to be accepted",
        "a secret for tests, long enough to be accepted",
        "a secret for the kill matrix, long enough to be accepted",
    }
)

#: What .env.example shows for trying out.
EXAMPLE_NAMESPACE = UUID("6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11")
EXAMPLE_PASSWORD = "coruscant"  # noqa: S105  (public)

#: Names that no public server has.
_NAMES_INSIDE = (".corp", ".home", ".home.arpa", ".internal", ".lan", ".local", ".localhost", ".svc")

#: What the log says of a role that is more than the service needs.
OWNS_TABLES = (
    "DATABASE_URL is of a role that owns tables or may act for their owner, so it can remove the triggers that guard"
    " history. Run the service under the role that deploy/roles.sql makes for it."
)
_ROLE = """
    SELECT rolsuper, EXISTS (
        SELECT FROM pg_class
        WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND pg_has_role(relowner, 'MEMBER')
    )
    FROM pg_roles WHERE rolname = current_user
"""


def dangers(chosen: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Each setting that is only for trying out, and what is wrong with it. `chosen` are all settings."""
    if chosen["SECRET_KEY"] in PUBLIC_SECRET_KEYS:
        yield "SECRET_KEY", "is public: make one of your own"
    if chosen["INSTALLATION_NAMESPACE"] == EXAMPLE_NAMESPACE:
        yield "INSTALLATION_NAMESPACE", "is that of .env.example: make one of your own, before the first loan"
    if chosen["DATABASES"]["default"]["PASSWORD"] == EXAMPLE_PASSWORD:
        yield "DATABASE_URL", "has the password of .env.example: give the role one of your own"
    if urlsplit(chosen["AWS_ENDPOINT_URL"] or "").scheme == "http":
        yield "AWS_ENDPOINT_URL", "must be https, or empty for AWS: messages can be read and forged on their way"
    if any("*" in host for host in chosen["ALLOWED_HOSTS"]):
        yield "ALLOWED_HOSTS", "must name your hosts: with * any site may pass for yours"
    if chosen["API_ALLOW_ANONYMOUS"] and not chosen["API_ALLOW_ANONYMOUS_REASON"]:
        yield "API_ALLOW_ANONYMOUS_REASON", "must say why calls need no credential, where API_ALLOW_ANONYMOUS is true"
    if not chosen["SESSION_COOKIE_SECURE"]:
        yield "BEHIND_TLS_PROXY", "must be true: without TLS, passwords and sessions can be read on their way"
    if not chosen["MARKET_URLS_REASON"]:
        for market, url in chosen["MARKET_URLS"].items():
            if weakness := _weakness_of_market(urlsplit(url)):
                yield f"{market.name}_URL", f"{weakness}; if that is meant, MARKET_URLS_REASON says why"
    for name, url in (
        ("CACHE_URL", chosen["CACHES"]["default"]["LOCATION"]), ("CELERY_BROKER_URL", chosen["CELERY_BROKER_URL"])
    ):  # fmt: skip
        yield from _dangers_of_redis(name, urlsplit(url), chosen["REDIS_PLAIN_REASON"])


def log_start(process: str) -> None:
    """Say which version runs from now on: the first line that a `web` process, `worker` or `beat` logs of itself."""
    log.info("process_started", process=process, version=__version__)


def require_secrets() -> None:
    """End the process if PROCESS names one that has fewer secrets than the web and workers need. For their start."""
    if missing := withheld_from(settings.PROCESS):
        names = ", ".join(sorted(missing))
        raise SystemExit(f"Bad configuration: PROCESS must not be {settings.PROCESS} where {names} is needed.")


def require_safe_database() -> None:
    """End the process if it is the database's superuser, who may change history. For the start of long processes.

    A role that owns tables, or may act for their owner, is only named in the log: it ran the service before
    deploy/roles.sql was there. A database that does not answer ends nothing: the process waits for it like any other.
    """
    if settings.DEBUG or settings.DEMO:
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute(_ROLE)
            is_superuser, owns_tables = cursor.fetchone()
    except OperationalError as error:
        log.warning("database_role_not_checked", error=str(error))
        return
    finally:
        connection.close()  # nobody who is forked from here inherits it
    if is_superuser:
        raise SystemExit("Bad configuration: DATABASE_URL must not be that of a superuser, whom no permission stops.")
    if owns_tables:
        log.warning("database_role_owns_tables", finding=OWNS_TABLES)


def _weakness_of_market(url: SplitResult) -> str:
    if url.scheme != "https":
        return "must be https, or orders and answers can be changed on their way"
    return "leads to an address inside" if _is_inside((url.hostname or "").rstrip(".")) else ""


def _is_inside(host: str) -> bool:
    """Whether a host is an address that only we reach, however it is written, or a name of our own.

    Where any other name leads is looked at when orders go there (liquidation/venues/addresses.py).
    """
    with suppress(UnicodeError):
        host = host.encode("idna").decode()  # digits of other scripts are digits to a resolver
    for address in (host, _in_full(host)):
        with suppress(ValueError):
            return not is_public(address)
    return "." not in host or host.endswith(_NAMES_INSIDE)


def _in_full(host: str) -> str:
    """An IPv4 address in full, if a resolver reads one in a host, such as 127.1; else the host."""
    try:
        return inet_ntoa(inet_aton(host))
    except OSError:
        return host


def _dangers_of_redis(name: str, url: SplitResult, plain_reason: str) -> Iterator[tuple[str, str]]:
    if url.scheme in {"unix", "none"}:
        return  # whoever may open the file, or nobody
    if not url.password:
        yield name, "must have a user and a password, as in rediss://user:password@host:port/0"
    elif url.scheme == "rediss" and not _checks_certificate(name, url.query):
        yield name, "must end in ?ssl_cert_reqs=required, or anybody on the way can pass for Redis"
    elif url.scheme != "rediss" and not plain_reason:
        yield name, "must be rediss://, or its password can be read; if that is meant, REDIS_PLAIN_REASON says why"


def _checks_certificate(name: str, query: str) -> bool:
    """Celery's client checks no certificate unless it is told to; the cache's does unless it is told not to."""
    return "ssl_cert_reqs=required" in query or (name == "CACHE_URL" and "ssl_cert_reqs" not in query)
