"""A bad setting ends the process at start with one sentence that names it."""

import os
import runpy
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import pytest

from coruscant import environment
from pricing.markets import Market

GOOD = {
    "DOTENV": os.devnull,
    "INSTALLATION_NAMESPACE": "6f1c2f0a-5d1e-4a52-9c0b-6c1f7f2b9d11",
    "SECRET_KEY": "only-these-tests-know-it-0123456789-abcdefghijklmnop",
    "BEHIND_TLS_PROXY": "true",
    "DATABASE_URL": "postgres://u:p@127.0.0.1:1/d",
    "CACHE_URL": "rediss://cache:hush@127.0.0.1:1/1",
    "CELERY_BROKER_URL": "rediss://broker:hush@127.0.0.1:1/0?ssl_cert_reqs=required",
    **{f"{market.name}_URL": "https://market.example" for market in Market},
    "PATH": os.environ["PATH"],
}


SETTINGS = Path(__file__).resolve().parent.parent / "settings.py"


@pytest.fixture
def start():
    """Read the settings afresh in an environment of their own; returns them, or raises SystemExit."""
    before = dict(os.environ)

    def read(**changed):
        os.environ.clear()
        os.environ.update({name: value for name, value in (GOOD | changed).items() if value is not None})
        return runpy.run_path(str(SETTINGS))

    yield read
    os.environ.clear()  # of what a .env file has added, too
    os.environ.update(before)


def test_the_defaults_are_as_documented(start):
    settings = start()
    assert (settings["LIQUIDATION_LTV"], settings["LEASE_SECONDS"]) == (Decimal("0.80"), 20)
    assert settings["API_ALLOW_ANONYMOUS"] is False
    assert settings["AWS_ENDPOINT_URL"] is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("INSTALLATION_NAMESPACE", None),
        ("INSTALLATION_NAMESPACE", "ours"),
        ("FILL_BAND", "1"),
        ("SECRET_KEY", None),
        ("SECRET_KEY", "short"),
        ("DATABASE_URL", None),
        ("DATABASE_URL", "sqlite:///db.sqlite3"),
        ("DATABASE_URL", "what"),
        ("CACHE_URL", "127.0.0.1"),
        ("CACHE_URL", "hush:hush@127.0.0.1"),
        ("DATABASE_URL", "hush:hush@127.0.0.1"),
        ("DATABASE_URL", "postgres://u:hush@[1/d"),
        ("CELERY_BROKER_URL", "redis://u:hush@[1/0"),
        ("CELERY_BROKER_URL", "amqp://127.0.0.1"),
        ("MOS_ESPA_URL", None),
        ("MOS_ESPA_URL", "mos-espa"),
        ("BLACK_SPIRE_OUTPOST_URL", "ftp://x"),
        ("AWS_ENDPOINT_URL", "nowhere"),
        ("DEBUG", "perhaps"),
        ("API_ALLOW_ANONYMOUS", "2"),
        ("LIQUIDATION_LTV", "eighty"),
        ("LIQUIDATION_LTV", "1.5"),
        ("LIQUIDATION_LTV", "NaN"),
        ("LIQUIDATION_LTV", "0"),
        ("ACTIVATION_LTV", "0.9"),
        ("WARNING_LTV", "0.85"),
        ("WARNING_LTV", "0.5"),
        ("MARGIN_NOTICE_LTV", "0.7"),
        ("MARGIN_NOTICE_LTV", "0.59"),
        ("MARGIN_NOTICE_LTV", "no"),
        ("PRICE_MAX_AGE_SECONDS", "0"),
        ("PRICE_MAX_AGE_SECONDS", "1.5"),
        ("FEED_MAX_LAG_SECONDS", "10"),
        ("PRICE_REFERENCE_QUANTITY", "101"),
        ("MOS_ESPA_PRICE_BASIS", "whole"),
        ("MAX_ORDER_QUANTITY", "0"),
        ("MARKET_TIMEOUT_SECONDS", "20"),
        ("LEASE_SECONDS", "26"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("TRUSTED_PROXIES", "10.0.0.1/8"),
        ("TRUSTED_PROXIES", "nginx"),
        ("API_WRITES_PER_MINUTE", "0"),
        ("API_READS_PER_MINUTE", "60/min"),
    ],
)
def test_a_bad_setting_is_named_in_one_sentence(start, name, value):
    with pytest.raises(SystemExit) as ended:
        start(**{name: value})
    sentence = str(ended.value)
    assert sentence.startswith(f"Bad configuration: {name} ")
    assert "hush" not in sentence
    assert sentence.endswith(".")
    assert "\n" not in sentence


def test_any_setting_can_be_in_a_file(tmp_path, start):
    key, hosts = tmp_path / "key", tmp_path / "hosts"
    key.write_text("a key that only this file knows, and nobody else\n")
    hosts.write_text("bank.example, api.bank.example\n")
    settings = start(SECRET_KEY=None, SECRET_KEY_FILE=str(key), ALLOWED_HOSTS_FILE=str(hosts))
    assert settings["SECRET_KEY"] == "a key that only this file knows, and nobody else"
    assert settings["ALLOWED_HOSTS"] == ["bank.example", "api.bank.example"]


def test_a_setting_and_its_file_cannot_both_count(tmp_path, start):
    (tmp_path / "key").write_text("hush")
    with pytest.raises(SystemExit, match=r"SECRET_KEY and SECRET_KEY_FILE are both set, and only one can count\.$"):
        start(SECRET_KEY_FILE=str(tmp_path / "key"))


def test_a_file_that_cannot_be_read_is_named_by_its_setting(tmp_path, start):
    binary = tmp_path / "key"
    binary.write_bytes(b"\xff\xfehush")
    for path, why in ((tmp_path / "none", "FileNotFoundError"), (binary, "UnicodeDecodeError")):
        with pytest.raises(SystemExit) as ended:
            start(SECRET_KEY=None, SECRET_KEY_FILE=str(path))
        assert str(ended.value) == f"Bad configuration: SECRET_KEY_FILE cannot be read ({why})."


def example():
    """The settings of .env.example, which are all there are."""
    lines = (SETTINGS.parent.parent / ".env.example").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


@pytest.mark.parametrize("name", sorted(example()))
def test_an_empty_setting_counts_as_one_that_is_not_there(start, name):
    def outcome(value):
        try:
            found = start(**{name: value})
        except SystemExit as ended:
            return str(ended)
        return {key: repr(found[key]) for key in found if key.isupper() and key != "LOGGING"}

    assert outcome("") == outcome(None)


def test_a_process_ends_with_just_that_sentence():
    result = subprocess.run(
        [sys.executable, "manage.py", "check"],
        env=GOOD | {"DEBUG": "perhaps"},
        cwd=SETTINGS.parent.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 1
    assert result.stderr == "Bad configuration: DEBUG must be true or false, not 'perhaps'.\n"


def test_a_dotenv_file_is_read_but_never_overrides_the_environment(tmp_path, start):
    dotenv = tmp_path / "settings"
    dotenv.write_text("LEASE_SECONDS=18\nLOG_LEVEL=error\n")
    settings = start(DOTENV=str(dotenv), LEASE_SECONDS="17")
    assert (settings["LEASE_SECONDS"], settings["LOGGING"]["root"]["level"]) == (17, "ERROR")


def test_the_dotenv_file_lies_beside_the_code_wherever_a_process_is_started(tmp_path, start, monkeypatch):
    code, elsewhere = tmp_path / "code", tmp_path / "elsewhere"
    for folder, level in ((code, "error"), (elsewhere, "debug")):
        folder.mkdir()
        (folder / ".env").write_text(f"LOG_LEVEL={level}\n")
    monkeypatch.setattr(environment, "BASE_DIR", code)
    monkeypatch.chdir(elsewhere)
    assert start(DOTENV=None)["LOGGING"]["root"]["level"] == "ERROR"
