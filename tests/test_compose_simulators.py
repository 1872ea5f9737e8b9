"""What `docker compose --profile simulators up` shows by itself, told from the commands that it runs."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.db import connection
from django.http import HttpRequest

from local.demo.logins import ACCOUNTS
from local.simulators.market.__main__ import read_options as read_market_options
from local.simulators.market.server import MarketOptions, MarketServer
from local.simulators.otc.__main__ import read_options as read_otc_options
from local.simulators.otc.population import draw_clients
from tests.compose import ROOT, read_services

SHOWN_WITHIN_SECONDS = 120
MARKETS = ("mos-espa", "black-spire-outpost")


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    return read_services()


def options_of(service: dict[str, Any], module: str) -> list[str]:
    assert service["command"][:3] == ["python", "-m", module]
    return [str(word) for word in service["command"][3:]]


def best_prices(markets: list[MarketOptions], seconds: int) -> Iterator[Decimal]:
    """The better of the prices that markets publish for selling a unit, second by second."""
    servers = [MarketServer(replace(options, sns_endpoint=None)) for options in markets]
    for _ in range(seconds):
        for server in servers:
            server.tick()
        yield max(server.exchange.price_event().levels.sell[1] for server in servers)


def deepest_fall(prices: list[Decimal]) -> Decimal:
    """The most by which an earlier price is a multiple of a later one."""
    highest, deepest = Decimal(0), Decimal(1)
    for price in prices:
        highest = max(highest, price)
        deepest = max(deepest, highest / price)
    return deepest


@pytest.mark.parametrize("second_of_the_cycle", [0, 10, 29, 31, 39, 45, 55])
def test_the_price_falls_far_enough_to_liquidate_most_loans_within_two_minutes_again_and_again(
    services: dict[str, Any], settings: Any, monkeypatch: pytest.MonkeyPatch, second_of_the_cycle: int
) -> None:
    monkeypatch.setattr(time, "time_ns", lambda: (60 * 10**6 + second_of_the_cycle) * 10**9)
    markets = [read_market_options(options_of(services[name], "local.simulators.market")) for name in MARKETS]
    otc = read_otc_options(options_of(services["otc"], "local.simulators.otc"))
    clients = draw_clients(otc.clients, Random(f"{otc.seed}/clients"))
    prices = list(best_prices(markets, 5 * SHOWN_WITHIN_SECONDS))

    for begins in range(0, len(prices) - SHOWN_WITHIN_SECONDS + 1, SHOWN_WITHIN_SECONDS // 2):
        fall = deepest_fall(prices[begins : begins + SHOWN_WITHIN_SECONDS])
        ltvs = [settings.ACTIVATION_LTV / client.buffer * fall for client in clients if client.top_up_ltv is None]
        assert sum(ltv >= settings.LIQUIDATION_LTV for ltv in ltvs) > len(ltvs) / 2, f"in the two minutes from {begins}"
    assert otc.rate >= 1


def test_the_simulators_are_reachable_from_this_machine_and_from_no_other(services: dict[str, Any]) -> None:
    for name in (*MARKETS, "otc"):
        command = [str(word) for word in services[name]["command"]]
        port = command[command.index("--port") + 1]
        assert services[name]["ports"] == [f"127.0.0.1:{port}:{port}"]
        assert command[command.index("--host") + 1] == "0.0.0.0"


@pytest.mark.django_db(transaction=True)
def test_the_log_ins_that_the_readme_names_are_made_with_no_more_than_is_mounted(
    services: dict[str, Any], stack: Any, tmp_path: Path
) -> None:
    for folder in ("coruscant", "pricing", "loans", "liquidation", "desk"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    shutil.copy(ROOT / "manage.py", tmp_path)
    source, target, _how = services["log-ins"]["volumes"][0].split(":")
    mounted = tmp_path / Path(target).relative_to("/srv/coruscant")
    shutil.copytree(ROOT / source, mounted)
    address = f"{stack.environment['DATABASE_URL'].rpartition('/')[0]}/{connection.settings_dict['NAME']}"
    command = services["log-ins"]["command"]
    environment = os.environ | {"DATABASE_URL": address, "PROCESS": services["log-ins"]["environment"]["PROCESS"]}

    for _twice in range(2):
        subprocess.run(
            [sys.executable, *command[1:]], cwd=tmp_path, env=environment, check=True, timeout=60,
        )  # fmt: skip
    for name in ACCOUNTS:
        person = authenticate(HttpRequest(), username=name, password="demo")
        assert person is not None
        assert person.is_staff
