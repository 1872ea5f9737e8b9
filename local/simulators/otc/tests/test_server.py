import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

import requests

from local.simulators.otc.ledger import Ledger
from local.simulators.otc.server import OtcOptions, OtcServer
from local.simulators.otc.tests.stub_bank import StubBank
from local.simulators.otc.tests.test_loan_event_audit import EVENT
from local.simulators.testing import running, running_otc

LOANS = 40


@contextmanager
def otc_of(bank: StubBank, **options: Any) -> Iterator[str]:
    quick: dict[str, Any] = {"rate": 200.0, "max_loans": LOANS, "pace": 0.002}
    with (
        running(lambda: bank) as bank_port,
        running_otc(f"http://127.0.0.1:{bank_port}", **(quick | options)) as url,
    ):
        yield f"{url}/simulator"


def report_when(url: str, is_done: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + 30
    while True:
        report: dict[str, Any] = requests.get(f"{url}/report", timeout=5).json()
        if is_done(report) or time.monotonic() > deadline:
            return report
        time.sleep(0.1)


def all_quiet(report: dict[str, Any]) -> bool:
    return bool(report["applied"] == LOANS and report["liveLoans"] == 0)


def test_clients_apply_and_post_until_their_loans_are_active() -> None:
    bank = StubBank()
    with otc_of(bank) as url:
        report = report_when(url, all_quiet)
        loans = requests.get(f"{url}/loans", timeout=5).json()["loans"]
    assert (report["accepted"], report["bugs"], report["gaveUp"]) == (LOANS, 0, 0)
    assert report["violations"] == []
    assert {loan["status"] for loan in loans} == {"active"}
    assert {loan["loanId"]: Decimal(loan["posted"]) for loan in loans} == {
        loan_id: loan["collateral"] for loan_id, loan in bank.loans.items()
    }


def test_requests_are_as_the_contract_says() -> None:
    bank = StubBank()
    with otc_of(bank, api_token="secret") as url:
        report_when(url, all_quiet)
    assert bank.tokens == {"Token secret"}
    for body in bank.requests:
        assert {"requestId", "loanId", "amount", "borrowerId"} <= set(body)
        assert all(isinstance(body[name], str) for name in ("requestId", "loanId", "amount", "borrowerId"))
    assert any("assetType" in body for body in bank.requests)


def test_a_request_without_an_answer_is_repeated_under_its_id() -> None:
    bank = StubBank(drop_first=True)
    with otc_of(bank) as url:
        report = report_when(url, all_quiet)
    assert report["accepted"] == LOANS
    assert report["violations"] == []
    assert report["replays"] >= LOANS
    assert report["errorsByStatus"]["ServerDisconnectedError"] >= LOANS
    assert set(bank.deliveries.values()) >= {2}


def test_a_service_that_forgets_its_requests_breaks_the_contract() -> None:
    with otc_of(StubBank(forgetful=True)) as url:
        report = report_when(url, all_quiet)
    assert any("Idempotency-Replayed" in sentence for sentence in report["violations"])


def test_what_the_service_has_lost_is_repeated_loan_by_loan_in_order() -> None:
    bank = StubBank()
    with otc_of(bank) as url:
        report_when(url, all_quiet)
        loans, before = dict(bank.loans), requests.get(f"{url}/loans", timeout=5).json()
        bank.loans.clear()
        bank.answers.clear()
        accepted = len(bank.deliveries)
        repeated = requests.post(f"{url}/repeat", json={"since": 0}, timeout=30).json()["repeated"]
        after = requests.get(f"{url}/loans", timeout=5).json()
        report = requests.get(f"{url}/report", timeout=5).json()
    assert bank.loans == loans
    assert before == after, "a repeat posts nothing more"
    assert repeated == accepted
    assert report["violations"] == []


def test_nothing_is_repeated_that_was_accepted_earlier() -> None:
    bank = StubBank()
    with otc_of(bank) as url:
        report_when(url, all_quiet)
        deliveries = dict(bank.deliveries)
        assert requests.post(f"{url}/repeat", json={"since": time.time()}, timeout=30).json() == {"repeated": 0}
        assert requests.post(f"{url}/repeat", json={}, timeout=30).status_code == 400
    assert bank.deliveries == deliveries


def test_who_asks_for_repeats_has_forgotten_what_was_told_since_then_and_nothing_earlier() -> None:
    otc = OtcServer(OtcOptions(api="http://127.0.0.1:1", rate=0))
    lost, anew = ("2026-11-26T12:00:00Z", "2026-11-26T12:00:05Z")
    for number, at in enumerate((lost, anew)):
        otc.loan_audit.receive(json.dumps(EVENT | {"eventId": f"e{number}", "at": at}))
    lost_at = datetime.fromisoformat(lost).timestamp()
    with running(lambda: otc) as port:
        for since, violations in ((lost_at + 1, 1), (lost_at, 0)):
            answer = requests.post(f"http://127.0.0.1:{port}/simulator/repeat", json={"since": since}, timeout=5)
            assert answer.json() == {"repeated": 0}
            assert len(otc.loan_audit.violations({})) == violations


def test_repeats_are_excused_from_the_instant_of_a_loss_on_and_not_before() -> None:
    ledger = Ledger()
    ledger.add_violation("a repeat of r1 got other bytes than the first answer")
    ledger.add_violation("GET /loans was answered with 500")
    ledger.excuse_repeats(time.time() + 1)
    assert len(ledger.violations) == 2
    ledger.excuse_repeats(time.time() - 1)
    assert ledger.violations == ["GET /loans was answered with 500"]


def test_clients_wait_for_a_service_that_is_not_there_yet() -> None:
    with running_otc("http://127.0.0.1:1", rate=100.0) as running_one:
        url = f"{running_one}/simulator"
        report = report_when(url, lambda report: report["resends"] > 5)
        assert report["accepted"] == 0
        assert report["errorsByStatus"]["ClientConnectorError"] > 5
        assert requests.put(f"{url}/settings", json={"rate": 0}, timeout=5).json() == {"rate": 0}
        assert requests.put(f"{url}/settings", json={"rate": -1}, timeout=5).status_code == 400
