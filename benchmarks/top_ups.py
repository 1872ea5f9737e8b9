"""e: postings of collateral by fifty clients at once, beside a bare view that makes one insert."""

import json
import subprocess
import sys
from typing import Any

import requests
from django.db import connection

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.bare import TABLE
from benchmarks.figures import Figure, Measured, over, under
from benchmarks.scale import Scale
from benchmarks.stage import ROOT, Stage, eventually
from local.stack.ports import LOOPBACK
from pricing.markets import Market

_CLIENTS = 50
_PATH = "/collateral-top-ups"


def measure(stage: Stage, scale: Scale) -> Measured:
    """Requests per second and waits of both, under the same gunicorn settings, one after the other in each run."""
    open_bank(stage, scale.live_loans)
    prices.have_heard(prices.SAFE)
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    found: dict[str, list[dict[str, Any]]] = {"service": [], "bare": []}
    with stage.serving("coruscant.wsgi") as service, stage.serving("benchmarks.bare.wsgi") as bare:
        ports = {"service": service, "bare": bare}
        for port in ports.values():
            eventually(lambda port=port: _answers(port), "gunicorn answers", 60)  # type: ignore[misc]
        for run in range(1, scale.runs + 1):
            for name, port in ports.items():
                prices.hear(prices.SAFE, *Market)  # as fresh as they are in service
                found[name].append(_load(stage, port, scale))
            rates = {name: f"{runs[-1]['rate']:.0f}/s" for name, runs in found.items()}
            stage.say(f"run {run}: {rates}")
    assert all(set(run["statuses"]) == {"202"} for runs in found.values() for run in runs), found

    def figure(name: str, what: str, key: str, unit: str) -> Figure:
        return Figure(what=what, runs=tuple(run[key] for run in found[name]), unit=unit)

    rate = figure("service", f"postings a second, {_CLIENTS} clients", "rate", "/s")
    yardstick = figure("bare", "a bare view with one insert", "rate", "/s")
    waits = figure("service", "p99 of a posting", "p99", "ms")
    return Measured(
        figures=(
            Figure(
                what=rate.what,
                runs=rate.runs,
                unit="/s",
                yardstick=yardstick,
                reach=over(rate.value / yardstick.value, 0.35, "≥ 35 % of it"),
            ),
            Figure(
                what="p50 of a posting",
                runs=figure("service", "", "p50", "").runs,
                unit="ms",
                yardstick=figure("bare", "a bare view with one insert", "p50", "ms"),
            ),
            Figure(
                what=waits.what,
                runs=waits.runs,
                unit="ms",
                yardstick=figure("bare", "a bare view with one insert", "p99", "ms"),
                reach=under(waits.value, 250, "≤ 250 ms"),
            ),
        ),
        notes=("Both under `gunicorn --workers 2 --threads 4`; the clients share the cores.",),
    )


def _answers(port: int) -> bool:
    try:
        requests.get(f"http://{LOOPBACK}:{port}/health/live", timeout=2)
    except requests.RequestException:
        return False
    return True


def _load(stage: Stage, port: int, scale: Scale) -> dict[str, Any]:
    arguments = [f"http://{LOOPBACK}:{port}{_PATH}", "--clients", str(_CLIENTS), "--seconds", str(scale.load_seconds)]
    command = [sys.executable, "-m", "benchmarks.clients", *arguments, "--loans", str(scale.live_loans)]
    told = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=stage.environment, timeout=120
    )
    found: dict[str, Any] = json.loads(told.stdout)
    return found
