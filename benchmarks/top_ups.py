"""e: postings of collateral by fifty clients at once, against a bare view that makes one insert."""

import json
import subprocess
import sys
from typing import Any

import requests
from django.db import connection

from benchmarks import prices
from benchmarks.bank import open_bank
from benchmarks.bare import TABLE
from benchmarks.figures import Figure, Measured
from benchmarks.scale import Scale
from benchmarks.stage import ROOT, Stage, eventually
from local.stack.ports import LOOPBACK
from pricing.markets import Market

_CLIENTS = 50
_PATH = "/collateral-top-ups"
#: Times the bare view's rate, and times its p99.
_LEAST_RATE, _MOST_WAIT = 0.35, 4


def measure(stage: Stage, scale: Scale) -> Measured:
    """Requests per second and waits of both, under the same gunicorn settings, in turn in each run."""
    open_bank(stage, scale.live_loans)
    prices.record_past(prices.SAFE)
    with connection.cursor() as cursor:
        cursor.execute(TABLE)
    found: dict[str, list[dict[str, Any]]] = {"service": [], "bare": []}
    with stage.serving("coruscant.wsgi") as service, stage.serving("benchmarks.bare.wsgi") as bare:
        ports = {"service": service, "bare": bare}
        for port in ports.values():
            eventually(lambda port=port: _answers(port), "gunicorn answers", 60)  # type: ignore[misc]
        for run in range(1, scale.runs + 1):
            for name, port in ports.items():
                prices.record(prices.SAFE, *Market)  # as fresh as they are in service
                found[name].append(_load(stage, port, scale))
            rates = {name: f"{runs[-1]['rate']:.0f}/s" for name, runs in found.items()}
            stage.say(f"run {run}: {rates}")
    assert all(set(run["statuses"]) == {"202"} for runs in found.values() for run in runs), found

    def figure(what: str, key: str, unit: str) -> Figure:
        ours, theirs = (tuple(run[key] for run in found[name]) for name in ("service", "bare"))
        bare_view = Figure(what="a bare view with one insert", runs=theirs, unit=unit)
        return Figure(what=what, runs=ours, unit=unit).against(bare_view)

    return Measured(
        figures=(
            figure(f"postings a second, {_CLIENTS} clients", "rate", "/s").at_least(_LEAST_RATE),
            figure("p50 of a posting", "p50", "ms"),
            figure("p99 of a posting", "p99", "ms").at_most(_MOST_WAIT),
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
    ran = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, env=stage.environment, timeout=120
    )
    found: dict[str, Any] = json.loads(ran.stdout)
    return found
