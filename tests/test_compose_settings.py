"""Every setting reaches the service through compose, from .env or from the shell, and an empty one counts as unset."""

import os
import re
import runpy
from collections.abc import Mapping
from typing import Any
from unittest import mock

import pytest

from tests.compose import FILE, ROOT, read_example, read_services

#: Another value of each setting than that of the example.
OTHERS = {
    "SECRET_KEY": "another-secret-key-that-is-long-enough-to-be-accepted",
    "DEBUG": "true",
    "ALLOWED_HOSTS": "bank.example",
    "CSRF_TRUSTED_ORIGINS": "https://bank.example",
    "BEHIND_TLS_PROXY": "true",
    "INSTALLATION_NAMESPACE": "0b3f2a5e-3f0e-4f3b-9d58-0d1f6f0f5c11",
    "DATABASE_URL": "postgres://bank:word@db.example:5433/bank",
    "DATABASE_FAILOVER": "synchronous",
    "DATABASE_POOLED": "true",
    "CACHE_URL": "redis://cache.example:6379/3",
    "CELERY_BROKER_URL": "redis://broker.example:6379/4",
    "AWS_ENDPOINT_URL": "http://aws.example:4566",
    "PROVISION_AGAIN": "false",
    "AWS_REGION": "eu-west-1",
    "LOAN_EVENTS_TOPIC": "another-topic",
    "AWS_ACCESS_KEY_ID": "AKIA",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "ACTIVATION_LTV": "0.45",
    "WARNING_LTV": "0.71",
    "WARNING_CLEAR_LTV": "0.61",
    "MARGIN_NOTICE_LTV": "0.65",
    "LIQUIDATION_LTV": "0.85",
    "PRICE_MAX_AGE_SECONDS": "50",
    "FEED_MAX_LAG_SECONDS": "130",
    "PRICE_REFERENCE_QUANTITY": "2",
    "MOS_ESPA_PRICE_BASIS": "total",
    "BLACK_SPIRE_OUTPOST_PRICE_BASIS": "total",
    "SQS_VISIBILITY_SECONDS": "31",
    "QUOTE_RETENTION_DAYS": "31",
    "MOS_ESPA_URL": "https://mos-espa.example",
    "BLACK_SPIRE_OUTPOST_URL": "https://black-spire.example",
    "MAX_ORDER_QUANTITY": "50",
    "ORDER_QUANTITY_STEP": "0.01",
    "MARKET_TIMEOUT_SECONDS": "9",
    "LEASE_SECONDS": "19",
    "RECOVERY_PERIOD_SECONDS": "4",
    "REFUSALS_BEFORE_SWITCH": "3",
    "ORDER_SENDS_BEFORE_ATTENTION": "11",
    "FILL_BAND": "4",
    "STRESS_DEPTH_RECOVERY_SECONDS": "77",
    "FOUR_EYES": "true",
    "FOUR_EYES_POSTING_UNITS": "999",
    "APPROVAL_EXPIRY_HOURS": "23",
    "HEALTH_PRICE_AGE_SECONDS": "61",
    "HEALTH_LIQUIDATION_SECONDS": "901",
    "HEALTH_OUTBOX_SECONDS": "61",
    "HEALTH_UNRESOLVED_ORDERS": "2",
    "HEALTH_BEAT_SECONDS": "31",
    "INVARIANTS_EVERY_MINUTES": "61",
    "API_ALLOW_ANONYMOUS": "false",
    "API_ALLOW_ANONYMOUS_REASON": "The network is the bank's own.",
    "API_READS_PER_MINUTE": "600",
    "API_WRITES_PER_MINUTE": "700",
    "TRUSTED_PROXIES": "10.0.0.0/8",
    "SECOND_FACTOR_GROUPS": "Operators",
    "MARKET_URLS_REASON": "They are reached by a tunnel.",
    "REDIS_PLAIN_REASON": "It is on this machine.",
    "LOG_FORMAT": "console",
    "LOG_LEVEL": "WARNING",
}
#: Without it the rest of the example is refused, so it has a test of its own.
_TRYING_OUT = {"DEMO"}
#: The address of the tables' owner, for the container that migrates and for no other.
OF_MIGRATIONS = {"MIGRATIONS_DATABASE_URL"}
#: The network of the containers, which compose makes.
OF_THE_NETWORK = {"CONTAINERS_SUBNET"}
#: Compose decides where the probes of its containers look.
OF_THE_CONTAINER = {"HEARTBEAT_FILE": "/tmp/heartbeat"}
REQUIRED = {
    "SECRET_KEY", "INSTALLATION_NAMESPACE", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL",
    "MOS_ESPA_URL", "BLACK_SPIRE_OUTPOST_URL",
}  # fmt: skip


def environment_in_compose(variables: Mapping[str, str] | None = None, service: str = "web") -> dict[str, str]:
    environment: dict[str, str] = read_services(variables)[service]["environment"]
    return environment


def settings_of(environment: Mapping[str, str]) -> dict[str, str]:
    """Every setting in an environment, and the credentials, which boto3 reads by itself."""
    with mock.patch.dict(os.environ, {**environment, "DOTENV": os.devnull}, clear=True):
        read: dict[str, Any] = runpy.run_path(str(ROOT / "coruscant" / "settings.py"))
    credentials = {name: environment[name] for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")}
    without_addresses = {name: re.sub(" at 0x[0-9a-f]+", "", repr(value)) for name, value in read.items()}
    return {name: text for name, text in without_addresses.items() if name.isupper()} | credentials


def test_each_process_of_the_service_has_every_setting():
    example = read_example()
    assert set(OTHERS) | set(OF_THE_CONTAINER) | OF_MIGRATIONS | OF_THE_NETWORK | _TRYING_OUT == set(example)
    services = read_services()
    ours = [name for name, service in services.items() if service.get("image") == "coruscant-bank-service"]
    assert len(ours) == 10
    for name in ours:
        assert set(services[name]["environment"]) == set(example) - OF_MIGRATIONS - OF_THE_NETWORK, name


def test_a_fresh_clone_has_the_settings_of_the_example_with_and_without_a_copy_of_it():
    example = read_example() | OF_THE_CONTAINER
    assert settings_of(environment_in_compose()) == settings_of(example)
    assert settings_of(environment_in_compose(read_example())) == settings_of(example)


@pytest.mark.parametrize("name", sorted(OTHERS))
def test_a_setting_reaches_the_service_from_the_environment_or_from_dotenv(name):
    example = read_example() | OF_THE_CONTAINER
    changed = settings_of(environment_in_compose({name: OTHERS[name]}))
    assert changed == settings_of(example | {name: OTHERS[name]})
    assert changed != settings_of(example)


@pytest.mark.parametrize("name", sorted(set(OTHERS) - REQUIRED))
def test_an_empty_setting_stays_empty(name):
    example = read_example() | OF_THE_CONTAINER
    assert settings_of(environment_in_compose({name: ""})) == settings_of(example | {name: ""})


@pytest.mark.parametrize("name", sorted(REQUIRED))
def test_an_empty_setting_that_is_required_is_refused(name):
    with pytest.raises(SystemExit, match=f"{name} must be set"):
        settings_of(environment_in_compose({name: ""}))


@pytest.mark.parametrize("said", ["", "false"])
def test_what_is_only_for_trying_out_is_refused_once_that_is_over(said):
    environment = environment_in_compose({"DEMO": said})
    assert environment["DEMO"] == said
    with pytest.raises(SystemExit, match="SECRET_KEY"):
        settings_of(environment)


def test_migrations_run_as_the_owner_of_the_tables_and_nothing_else_does():
    services = read_services()
    (setup,) = (name for name, service in services.items() if "manage.py migrate" in str(service.get("command")))
    example = read_example()
    for name, service in services.items():
        if service.get("image") == "coruscant-bank-service":
            owner = example["MIGRATIONS_DATABASE_URL"] if name == setup else example["DATABASE_URL"]
            assert service["environment"]["DATABASE_URL"] == owner, name
    chosen = environment_in_compose({"MIGRATIONS_DATABASE_URL": "postgres://owner@db.example/bank"}, setup)
    assert chosen == environment_in_compose(service=setup) | {"DATABASE_URL": "postgres://owner@db.example/bank"}
    with pytest.raises(SystemExit, match="DATABASE_URL must be set"):
        settings_of(environment_in_compose({"MIGRATIONS_DATABASE_URL": ""}, setup))


def test_aws_itself_is_reached_by_emptying_its_endpoint():
    environment = environment_in_compose({name: "" for name in OTHERS if name.startswith("AWS_")})
    read = settings_of(environment)
    assert read["AWS_ENDPOINT_URL"] == "None"
    assert read["AWS_ACCESS_KEY_ID"] == read["AWS_SECRET_ACCESS_KEY"] == "", "boto3 takes empty ones for none"


def test_the_simulators_go_by_the_same_region_and_topic():
    changed = {"AWS_REGION": "eu-west-1", "LOAN_EVENTS_TOPIC": "another"}
    for service in ("mos-espa", "black-spire-outpost", "otc"):
        assert changed.items() <= environment_in_compose(changed, service).items()
        assert environment_in_compose({"AWS_REGION": ""}, service)["AWS_REGION"] == "us-east-1"


def test_compose_names_no_variable_but_settings():
    assert set(re.findall(r"\$\{(\w+)", FILE.read_text())) <= set(read_example())
