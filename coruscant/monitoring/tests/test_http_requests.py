"""Requests are counted by route and status, and no client chooses a label."""

import os
import re
import subprocess
import sys

import pytest

from coruscant.monitoring.http_requests import exposition

#: What a process of a web server does; the last one adds up.
COUNTS = """
from coruscant.monitoring import http_requests
http_requests._requests.labels("/loans", 200).inc()
http_requests._seconds.labels("/loans").observe(0.03)
print(http_requests.exposition().decode())
"""


def counted(text=None):
    found = re.findall(
        r'coruscant_http_requests_total\{route="(.*)",status="(\d+)"\} (\S+)', text or exposition().decode()
    )
    return {(route, status): float(number) for route, status, number in found}


@pytest.mark.django_db
def test_requests_are_counted_by_route_and_status_and_probes_are_not(client, asked_in_turn):
    before = counted()
    client.get("/loans")
    client.get("/loans/")
    client.get("/loans/chosen-by-a-client")
    client.get("/chosen/by/a/client")
    client.generic("CHOSEN", "/loans?chosen=1")
    client.get("/health/live")
    client.get("/metrics")
    after = counted()
    more = {key: number - before.get(key, 0) for key, number in after.items() if number != before.get(key, 0)}
    assert more == {
        ("/loans", "200"): 2, ("/loans", "405"): 1, ("/loans/<loan_id:loanId>", "404"): 1, ("none", "404"): 1
    }  # fmt: skip
    assert "chosen" not in exposition().decode().lower()
    assert 'coruscant_http_request_seconds_bucket{le="+Inf",route="/loans"}' in exposition().decode()


def test_the_processes_of_a_server_count_together(tmp_path):
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for number in (1.0, 2.0):
        text = subprocess.run(
            [sys.executable, "-c", COUNTS], env=environment, check=True, capture_output=True, text=True
        ).stdout
        assert counted(text) == {("/loans", "200"): number}
