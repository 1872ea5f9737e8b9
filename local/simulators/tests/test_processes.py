import os
import signal
import socket
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
def port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def process(request: pytest.FixtureRequest, port: int) -> Iterator[subprocess.Popen[bytes]]:
    if request.param == "otc":
        arguments = ["local.simulators.otc", "--api", NOBODY_HOME, "--rate", "50"]
    else:
        arguments = ["local.simulators.market", "--market", request.param]
    arguments += ["--port", str(port), "--sns-endpoint", NOBODY_HOME]
    root = Path(__file__).parents[3]
    with subprocess.Popen([sys.executable, "-m", *arguments], env=ENVIRONMENT, cwd=root) as started:
        try:
            yield started
        finally:
            started.kill()


@pytest.mark.parametrize(
    ("process", "number"),
    [("mos_espa", signal.SIGTERM), ("black_spire_outpost", signal.SIGINT), ("otc", signal.SIGTERM)],
    indirect=["process"],
)
def test_a_simulator_runs_without_anyone_to_talk_to_and_stops_at_once(
    process: subprocess.Popen[bytes], port: int, number: signal.Signals
) -> None:
    paths = ("state", "report")
    deadline = time.monotonic() + 15
    while True:
        try:
            answers = [requests.get(f"http://127.0.0.1:{port}/simulator/{path}", timeout=5) for path in paths]
            break
        except requests.ConnectionError:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
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
