"""What an operator finds in the logs."""

from proofs.chaos.traces import Traces


def test_only_what_the_service_wrote_since_is_found(tmp_path):
    log = tmp_path / "worker-sales-1.log"
    log.write_text('{"event": "before"}\n')
    traces = Traces(tmp_path)
    with log.open("a") as more:
        more.write('{"event": "event_not_sent"}\n')
    (tmp_path / "beat-2.log").write_text("beat v5.7.0 is starting\n")
    (tmp_path / "otc.log").write_text("said by somebody else\n")
    assert traces.found("event_not_sent|other")
    assert traces.found("is starting")
    assert traces.found("")
    assert not traces.found("before")
    assert not traces.found("somebody else")
    (tmp_path / "postgresql.log").write_text("terminating connection\n")
    assert not traces.found("terminating")
    assert traces.found("terminating", by_postgres=True)
