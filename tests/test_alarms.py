"""A frozen beat and a dead worker raise an alarm within a minute: real processes, a real Prometheus, our own rules."""

import os
import signal
import time
from pathlib import Path

import pytest

from coruscant.monitoring import signs_of_life
from coruscant.monitoring.signs_of_life import Signs
from local.stack.prometheus import PrometheusServer, installed
from proofs.service.running_service import running_service

ROOT = Path(__file__).resolve().parent.parent
RULES = ROOT / "deploy" / "prometheus" / "alerts.yml"

pytestmark = [
    pytest.mark.proof,
    pytest.mark.system,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(240),
    pytest.mark.skipif(not installed(), reason="needs Prometheus: Debian's package prometheus"),
]

WITHIN_SECONDS = 60


def test_a_frozen_beat_and_a_dead_worker_are_known_within_a_minute_and_so_is_their_return(stack, tmp_path):
    with running_service(stack) as service:
        service.eventually(lambda: service.get("/health/business").status_code == 200, "all is well")
        prometheus = PrometheusServer(
            tmp_path, stack.log_folder, target=f"127.0.0.1:{service.port}", rules=RULES
        )  # fmt: skip
        prometheus.start()
        try:
            beat, worker = service.processes["beat-1"], service.processes["prices-1"]
            service.eventually(lambda: prometheus.knows("coruscant_scrape_answered"), "a scrape")
            assert {"BeatSilent", "WorkersSilent", "ProcessSilent"} & prometheus.firing() == set()
            os.kill(beat.pid, signal.SIGSTOP)
            worker.kill()
            began = time.monotonic()
            expected = {"BeatSilent", "WorkersSilent", "ProcessSilent"}
            service.eventually(lambda: expected <= prometheus.firing(), "both alarms", WITHIN_SECONDS)
            assert time.monotonic() - began < WITHIN_SECONDS
            beat.resume()
            worker.start()
            service.eventually(lambda: not expected & prometheus.firing(), "both are well again")
            for process in (beat, worker):
                process.stop()
            gone = {kind: signs_of_life.read()[kind] for kind in ("beat", "prices", "risk", "maintenance", "replay")}
            assert set(gone.values()) == {Signs()}, "whoever stops as it should is not missed"
        finally:
            prometheus.stop()
