"""Flower as it is deployed: a real process, asked with and without its password."""

import json
import os

import pytest
import requests

from local.demo.logins import BASIC_AUTH, PASSWORD
from local.processes import FLOWER, with_this_python
from local.stack import ChildProcess
from local.stack.listening import on_a_free_port, wait_until_listening
from tests.compose import ROOT, read_services

pytestmark = [pytest.mark.system, pytest.mark.timeout(180)]
#: In the broker's address, where nothing listens.
HUSH = "hush-hush"


@pytest.fixture(scope="module")
def flower(stack, tmp_path_factory):
    """Flower with the demo's passwords, and a broker that is down: its port and its process."""
    password = {"FLOWER_BASIC_AUTH": BASIC_AUTH, "CELERY_BROKER_URL": f"redis://flower:{HUSH}@127.0.0.1:1/0"}

    def start(port):
        command = with_this_python(FLOWER.command("127.0.0.1", port))
        log = tmp_path_factory.mktemp("flower") / "log"
        process = ChildProcess(
            "flower", command, log_path=log, environment=os.environ | stack.environment | password, folder=ROOT,
            grace_seconds=FLOWER.grace_seconds,
        )  # fmt: skip
        process.start()
        wait_until_listening(process, port)
        return port, process

    port, process = on_a_free_port(start)
    yield port, process
    process.stop()


def ask(port, path, word="", method="GET"):
    """The status and the text of an answer."""
    name, _, password = word.partition(":")
    url = f"http://127.0.0.1:{port}{path}"
    answer = requests.request(method, url, auth=(name, password) if word else None, timeout=60)
    return answer.status_code, answer.text


PAGES = ["/flower/", "/flower/workers", "/flower/tasks", "/flower/broker", "/flower/api/task/types"]


@pytest.mark.parametrize("path", PAGES)
def test_it_shows_nothing_without_its_password(flower, path):
    assert ask(flower[0], path)[0] == 401
    assert ask(flower[0], path, "operator:guess")[0] == 401
    assert ask(flower[0], path, f"nobody:{PASSWORD}")[0] == 401


def test_with_the_password_it_shows_workers_and_tasks(flower):
    for path in ("/flower/", "/flower/tasks"):
        status, text = ask(flower[0], path, f"operator:{PASSWORD}")
        assert (status, "/flower/static/css/flower.css" in text) == (200, True), path


@pytest.mark.parametrize(
    "path", ["worker/shutdown/sales@x", "worker/pool/grow/sales@x", "task/revoke/x", "task/apply/liquidation.sell",
             "task/send-task/liquidation.sell"],
)  # fmt: skip
def test_it_controls_nothing_even_with_the_password(flower, path):
    assert ask(flower[0], f"/flower/api/{path}", f"operator:{PASSWORD}", method="POST")[0] == 403


def test_a_probe_needs_no_password(flower):
    probe = read_services()["flower"]["healthcheck"]["test"][-1]
    assert "http://127.0.0.1:5555/flower/healthcheck" in probe
    assert ask(flower[0], "/flower/healthcheck") == (200, "OK")


def test_its_log_is_json_and_shows_no_password(flower):
    port, process = flower
    ask(port, "/flower/", f"operator:{PASSWORD}")
    process.stop()
    lines = process.log_path.read_text().splitlines()
    events = [json.loads(line)["event"] for line in lines]
    assert any("Failed to capture events" in event for event in events)
    assert not any(word in line for line in lines for word in (HUSH, f":{PASSWORD}"))
