"""What the service refuses to start with where money is real."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from celery.signals import beat_init, worker_ready
from django.db import connection
from structlog.testing import capture_logs

from coruscant import __version__, startup
from coruscant.tests.test_settings import GOOD, start  # noqa: F401  (a fixture)
from local.processes import WEB, WORKERS, with_this_python
from local.stack.postgres import ROLE
from tests.compose import read_example

ROOT = Path(__file__).resolve().parents[2]

#: What must not be, and the setting that the sentence names.
DANGEROUS = {
    "the key of .env.example": ("SECRET_KEY", {"SECRET_KEY": "development-only-secret-key-never-use-it-in-production"}),
    "the key of the tests": ("SECRET_KEY", {"SECRET_KEY": "a secret for tests, long enough to be accepted"}),
    "the namespace of .env.example": (
        "INSTALLATION_NAMESPACE",
        {"INSTALLATION_NAMESPACE": read_example()["INSTALLATION_NAMESPACE"].upper()},
    ),
    "the password of .env.example": ("DATABASE_URL", {"DATABASE_URL": read_example()["DATABASE_URL"]}),
    "the owner's password": ("DATABASE_URL", {"DATABASE_URL": read_example()["MIGRATIONS_DATABASE_URL"]}),
    "an emulator in place of AWS": (
        "AWS_ENDPOINT_URL",
        {"AWS_ENDPOINT_URL": read_example()["AWS_ENDPOINT_URL"], "PROVISION_AGAIN": "true"},
    ),
    "any host": ("ALLOWED_HOSTS", {"ALLOWED_HOSTS": "bank.example,*"}),
    "anonymous calls": ("API_ALLOW_ANONYMOUS_REASON", {"API_ALLOW_ANONYMOUS": "true"}),
    "cookies without TLS": ("BEHIND_TLS_PROXY", {"BEHIND_TLS_PROXY": "false"}),
    "a market over plain http": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "http://market.example"}),
    "a market on this machine": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://localhost:4101"}),
    "a market on loopback": ("BLACK_SPIRE_OUTPOST_URL", {"BLACK_SPIRE_OUTPOST_URL": "https://127.0.0.1:4101"}),
    "a market that is the cloud's own": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://169.254.169.254/latest"}),
    "a market inside": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://10.0.0.7"}),
    "a market inside, by IPv6": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://[::1]:4101"}),
    "a market inside, in short": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://127.1:4101"}),
    "a market inside, as a number": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://2130706433"}),
    "a market by a name of our own": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://redis"}),
    "a market on this machine, with a dot": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://localhost."}),
    "a market inside, by NAT64": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://[64:ff9b::a00:5]/"}),
    "a market inside, by 6to4": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://[2002:a00:5::]"}),
    "a market inside, mapped": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://[::ffff:10.0.0.5]"}),
    "a market inside, in wide digits": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://\uff11\uff10.\uff10.\uff10.\uff15"}),
    "a market of the cluster": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://postgres.default.svc"}),
    "a market of the company": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://vault.corp"}),
    "a market of the house": ("MOS_ESPA_URL", {"MOS_ESPA_URL": "https://foo.lan"}),
    "a broker whose TLS is not checked": ("CELERY_BROKER_URL", {"CELERY_BROKER_URL": "rediss://broker:hush@redis/0"}),
    "a cache without password": ("CACHE_URL", {"CACHE_URL": "rediss://redis:6379/1"}),
    "a broker without password": ("CELERY_BROKER_URL", {"CELERY_BROKER_URL": "rediss://redis:6379/0"}),
    "a broker without TLS": ("CELERY_BROKER_URL", {"CELERY_BROKER_URL": "redis://broker:hush@redis:6379/0"}),
}

dangerous = pytest.mark.parametrize(("name", "changed"), list(DANGEROUS.values()), ids=list(DANGEROUS))


@dangerous
def test_what_is_only_for_trying_out_is_refused_in_one_sentence(start, name, changed):  # noqa: F811
    with pytest.raises(SystemExit) as ended:
        start(**changed)
    assert re.fullmatch(rf"Bad configuration: {name} [^\n]+\.", str(ended.value))
    assert "hush" not in str(ended.value)


@dangerous
@pytest.mark.parametrize("mode", ["DEMO", "DEBUG"])
def test_demo_and_debug_accept_it(start, name, changed, mode):  # noqa: F811
    assert start(**changed, **{mode: "true"})[mode]


def test_a_reason_is_enough_where_a_setting_asks_for_one(start):  # noqa: F811
    start(API_ALLOW_ANONYMOUS="true", API_ALLOW_ANONYMOUS_REASON="only the OTC service reaches it")
    start(MOS_ESPA_URL="http://10.0.0.7", MARKET_URLS_REASON="the tunnel to Mos Espa ends there")
    start(CELERY_BROKER_URL="redis://broker:hush@redis/0", REDIS_PLAIN_REASON="a TLS tunnel of its own")
    start(CACHE_URL="unix:///run/redis.sock")


def test_aws_by_another_way_of_its_own_is_accepted(start):  # noqa: F811
    start(AWS_ENDPOINT_URL="https://sqs.eu-west-1.vpce.example")
    start(AWS_ENDPOINT_URL="", PROVISION_AGAIN="true")  # which changes nothing


def test_no_other_key_is_published_here():
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    written = [
        (ROOT / name).read_text(errors="replace") for name in tracked if name.endswith((".py", ".yml", ".example"))
    ]
    keys = {
        key
        for text in written
        for key in re.findall(r"""["']?SECRET_KEY["']?\s*[:=]\s*["']?(?:\$\{SECRET_KEY:-)?([\w ,-]{32,})""", text)
    }
    assert len(keys) >= 5
    assert keys - {GOOD["SECRET_KEY"]} <= startup.PUBLIC_SECRET_KEYS


@pytest.fixture
def careful(settings):
    """As where money is real."""
    settings.DEMO = False


@pytest.fixture
def as_service():
    """Django's connection under the service's role."""
    usual = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict["USER"] = connection.settings_dict["PASSWORD"] = ROLE
    yield
    connection.close()
    connection.settings_dict |= usual


def test_the_service_role_is_neither_superuser_nor_owner(django_db_blocker, django_db_setup, careful, as_service):
    with django_db_blocker.unblock(), capture_logs() as logs:
        startup.require_safe_database()
    assert logs == []


def test_a_role_that_owns_the_tables_is_named_in_words(db, careful):
    with capture_logs() as logs:
        startup.require_safe_database()
    assert [(line["log_level"], line["event"], line["finding"]) for line in logs] == [
        ("warning", "database_role_owns_tables", startup.OWNS_TABLES)
    ]


def test_demo_is_not_asked_for_its_role(settings, django_assert_num_queries, db):
    settings.DEMO = True
    with django_assert_num_queries(0):
        startup.require_safe_database()


def test_a_database_that_does_not_answer_ends_nothing(careful, monkeypatch, django_db_blocker):
    with django_db_blocker.unblock():
        monkeypatch.setitem(connection.settings_dict, "PORT", 1)
        connection.close()
        startup.require_safe_database()


@pytest.mark.parametrize(
    "command", [WEB.command("127.0.0.1:1"), WORKERS["risk"].command("refused@%h")], ids=["web", "worker"]
)
def test_no_process_starts_as_the_superuser_of_the_database(stack, command):
    ended = subprocess.run(
        with_this_python(command),
        env=GOOD | {"DATABASE_URL": stack.superuser_database_url, "HOME": os.environ["HOME"]},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1] == (
        "Bad configuration: DATABASE_URL must not be that of a superuser, whom no permission stops."
    )


def test_the_web_ends_at_once_with_a_bad_setting():
    ended = subprocess.run(
        [sys.executable, "-m", *WEB.command("127.0.0.1:1")],
        env=GOOD | {"LEASE_SECONDS": "never"},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr.splitlines()[-1].startswith("Bad configuration: LEASE_SECONDS ")


def test_the_web_says_which_version_it_is():
    environment = {"PATH": os.environ["PATH"], "DOTENV": ".env.example"}
    started = subprocess.run(
        [sys.executable, "-c", "import coruscant.wsgi"],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    line = started.stderr.splitlines()[-1]
    assert json.loads(line).items() >= {"event": "process_started", "process": "web", "version": __version__}.items()


@pytest.mark.parametrize(("started", "process"), [(worker_ready, "worker"), (beat_init, "beat")])
def test_workers_and_beats_say_which_version_they_are(started, process):
    with capture_logs() as lines:
        started.send(sender=None)
    assert {"event": "process_started", "process": process, "version": __version__, "log_level": "info"} in lines
