"""`make audit` and `make sbom`: what is in the images, and what is known of that."""

import json
import os
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from local.stack.ports import free_port
from tests.compose import ROOT

pytestmark = pytest.mark.timeout(240)
REPORT = {"id": "OSV-1", "summary": "Bad", "modified": "2026-01-01T00:00:00Z", "affected": []}


def pinned(*locks, everywhere=False):
    """The names and versions of lock files; `everywhere`: without those that only some platforms need."""
    end = r" \\$" if everywhere else ""
    texts = [(ROOT / lock).read_text() for lock in locks]
    return {found for text in texts for found in re.findall(rf"(?m)^([\w.-]+)==([\w.]+){end}", text)}


def make(*arguments):
    return subprocess.run(
        ["make", "-o", "venv", *arguments], cwd=ROOT, capture_output=True, text=True, timeout=200, check=False
    )


@pytest.fixture
def osv():
    """An advisory service that knows what is put into `vulnerable`; it notes what it was `asked`."""

    class Service(BaseHTTPRequestHandler):
        asked, vulnerable = set(), set()

        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name, version = question["package"]["name"], question["version"]
            self.asked.add((name, version))
            body = json.dumps({"vulns": [REPORT]} if name in self.vulnerable else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        Service.url = f"http://127.0.0.1:{server.server_address[1]}/"
        yield Service
        server.shutdown()


def test_an_audit_asks_for_everything_that_is_in_an_image(osv):
    audited = make("audit", f"OSV={osv.url}")
    assert audited.returncode == 0, audited.stdout
    locks = ("requirements.txt", "requirements-simulators.txt")
    assert pinned(*locks, everywhere=True) <= osv.asked <= pinned(*locks)


def test_an_audit_that_reaches_no_advisory_service_has_not_passed_and_says_so():
    audited = make("audit", f"OSV=http://127.0.0.1:{free_port()}/")
    assert audited.returncode != 0
    assert "Connection refused" in audited.stdout
    assert "Not passed: OSV cannot be asked, so nothing is known." in audited.stdout


def integrate(osv_url):
    """What the continuous integration does about an audit."""
    lines = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if "audit" in line and line[0] != "#"]
    assert len(lines) == 2
    script = "\n".join(["set -euo pipefail", 'make() { command make -o venv "$@"; }', *lines])
    return subprocess.run(
        ["bash", "-c", script], cwd=ROOT, env=os.environ | {"OSV": osv_url},
        capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip


def test_the_continuous_integration_ends_at_a_vulnerability_and_only_there(osv):
    unasked = integrate(f"http://127.0.0.1:{free_port()}/")
    assert (unasked.returncode, "nothing is known" in unasked.stdout) == (0, True)
    osv.vulnerable.add("django")
    found = integrate(osv.url)
    assert (found.returncode, "OSV-1" in found.stdout) == (1, True)


def test_the_list_of_what_is_in_the_image_is_what_is_pinned():
    assert make("sbom").returncode == 0
    listed = json.loads((ROOT / ".local" / "sbom.json").read_text())
    assert listed["bomFormat"] == "CycloneDX"
    assert {(one["name"], one["version"]) for one in listed["components"]} == pinned("requirements.txt")
    assert all(one["externalReferences"][0]["hashes"] for one in listed["components"])
