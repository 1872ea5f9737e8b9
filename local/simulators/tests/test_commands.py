import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import requests

from local.simulators.market.__main__ import read_options

ENVIRONMENT = os.environ | {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_REGION": "us-east-1",
}
NOBODY_HOME = "http://127.0.0.1:1"


@pytest.fixture
def log(tmp_path: Path) -> Path:
    return tmp_path / "log"


@pytest.fixture
def process(request: pytest.FixtureRequest, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    if request.param == "otc":
        arguments = ["local.simulators.otc", "--api", NOBODY_HOME, "--rate", "50"]
    else:
        arguments = ["local.simulators.market", "--market", request.param]
    arguments += ["--port", "0", "--sns-endpoint", NOBODY_HOME]
    root = Path(__file__).parents[3]
    with (
        log.open("wb") as output,
        subprocess.Popen([sys.executable, "-m", *arguments], env=ENVIRONMENT, cwd=root, stderr=output) as started,
    ):
        try:
            yield started
        finally:
            started.kill()


def port_of(process: subprocess.Popen[bytes], log: Path) -> int:
    """The port on which a simulator says it listens."""
    deadline = time.monotonic() + 30
    while not (found := re.search(r"on port (\d+)", log.read_text())):
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return int(found[1])


@pytest.mark.parametrize(
    ("process", "number"),
    [("mos_espa", signal.SIGTERM), ("black_spire_outpost", signal.SIGINT), ("otc", signal.SIGTERM)],
    indirect=["process"],
)
def test_a_simulator_runs_without_the_others_and_stops_at_once(
    process: subprocess.Popen[bytes], log: Path, number: signal.Signals
) -> None:
    port = port_of(process, log)
    answers = [requests.get(f"http://127.0.0.1:{port}/simulator/{path}", timeout=5) for path in ("state", "report")]
    assert sorted(answer.status_code for answer in answers) == [200, 404]
    process.send_signal(number)
    assert process.wait(timeout=2) == 0


def test_a_market_reads_its_script_from_the_command_line(tmp_path: Path) -> None:
    script = tmp_path / "prices.json"
    script.write_text('["50", {"sell": "31.25", "ticks": 3}]')
    options = read_options(["--market", "mos_espa", "--port", "0", "--scenario", "script", "--script", str(script)])
    assert [levels.sell[1] for levels in options.script or []] == [Decimal(50), *[Decimal("31.25")] * 3]
    assert options.price_fault_share == 0
    assert options.fault_share == Decimal("0.3")


@pytest.mark.parametrize(
    "arguments",
    [
        ["local.simulators.market", "--market", "bogus", "--port", "0"],
        ["local.simulators.market", "--market", "mos_espa", "--port", "0", "--scenario", "script"],
        ["local.simulators.otc"],
    ],
)
def test_a_command_line_that_is_not_valid_is_explained(arguments: list[str]) -> None:
    root = Path(__file__).parents[3]
    ended = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, cwd=root, check=False)
    assert ended.returncode == 2
    assert b"usage:" in ended.stderr
