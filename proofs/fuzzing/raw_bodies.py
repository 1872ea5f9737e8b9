"""Raw bodies against both posts of the running service: refused as documented, and nothing written."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from proofs.fuzzing.bodies import Hostile, fields, hostile
from proofs.fuzzing.mutations import accepted_schema, is_good, mutate
from proofs.fuzzing.service import Service, errors, row_counts
from proofs.fuzzing.wire import Answer, exchange, post

PATHS = ("/loan-applications", "/collateral-top-ups")
_ACCEPTED = 202
_MOST_RESETS = 20
#: What the door refuses, no view sees.
_AT_THE_DOOR = "Refused a request"
_PROBLEM = "application/problem+json"
#: What may answer a body that the schema allows, by what the bank knows.
_OF_GOOD = {PATHS[0]: {202, 409, 422}, PATHS[1]: {202, 404, 409, 422}}
_WRITES = {
    PATHS[0]: ("loans_loan", "loans_historicalloan", "loans_acceptedrequest"),
    PATHS[1]: (
        "loans_collateralposting",
        "loans_historicalcollateralposting",
        "loans_historicalloan",
        "loans_acceptedrequest",
    ),
}


@dataclass
class Report:
    """How many requests got which status, and what was wrong."""

    statuses: Counter[int] = field(default_factory=Counter)
    problems: int = 0
    resets: int = 0
    findings: list[str] = field(default_factory=list)

    def count(self, answer: Answer) -> None:
        """Count an answer, and whether it is a refusal in the service's own words."""
        self.statuses[answer.status] += 1
        self.problems += answer.media_type == _PROBLEM

    @property
    def requests(self) -> int:
        """How many were sent."""
        return sum(self.statuses.values())


def run(service: Service, *, mutations: int, seed: int = 1) -> Report:
    """Send every hostile request and so many mutated bodies; half of them to each post."""
    report = Report()
    before = row_counts()
    for path in PATHS:
        for attack in hostile(path, service.authorization):
            _check_hostile(report, path, attack, _heard(report, service, attack))
    if row_counts() != before:
        report.findings.append(f"refused requests wrote: {before} became {row_counts()}")
    _mutations(report, service, mutations, Random(seed))
    _look_at_the_log(report, service)
    return report


def _look_at_the_log(report: Report, service: Service) -> None:
    """Every refusal was logged once, and no error was."""
    events = service.events()
    logged = sum(event["event"] == "request_refused" for event in events)
    at_the_door = sum(event["event"].startswith(_AT_THE_DOOR) for event in events)
    # An answer that was lost on its way was logged, too, and so was what the door ended without being asked.
    if not report.problems - at_the_door <= logged <= report.problems + report.resets:
        report.findings.append(f"{report.problems} requests were refused, {logged} + {at_the_door} refusals logged")
    report.findings += [f"logged: {line}" for line in errors(events)]


def _heard(report: Report, service: Service, attack: Hostile) -> Answer:
    """The answer. One that came before all was sent may be lost in the reset that follows it: then once more."""
    answer = exchange(service.port, attack.request)
    while not answer.status and report.resets < _MOST_RESETS:
        report.resets += 1
        answer = exchange(service.port, attack.request)
    return answer


def _check_hostile(report: Report, path: str, attack: Hostile, answer: Answer) -> None:
    report.count(answer)
    said = f"{path}: {attack.name}: {answer.status} {answer.media_type} {answer.body[:200]!r}"
    if answer.status not in attack.statuses:
        report.findings.append(f"wrong status: {said}")
    elif not _is_problem(answer) and not attack.framing:
        report.findings.append(f"not a problem: {said}")


def _mutations(report: Report, service: Service, count: int, random: Random) -> None:
    schema, before, expected = accepted_schema(), row_counts(), Counter[str]()
    headers = (("Authorization", service.authorization), ("Content-Type", "application/json"))
    for path, body in _mutated(count, random):
        answer = exchange(service.port, post(path, body, *headers))
        report.count(answer)
        allowed = _OF_GOOD[path] if is_good(body, schema) else {400}
        if answer.status not in allowed:
            report.findings.append(f"{path}: {body!r} was answered {answer.status} {answer.body[:300]!r}")
        elif answer.status == _ACCEPTED:
            # Accidents may make the same top-up twice; then the first is answered again.
            expected.update(() if answer.replayed else _WRITES[path])
        elif not _is_problem(answer):
            report.findings.append(f"{path}: {body!r}: not a problem: {answer.body[:300]!r}")
    after = row_counts()
    written = Counter({name: after[name] - before[name] for name in after if after[name] != before[name]})
    if written != expected:
        report.findings.append(f"accepted requests should have written {dict(expected)}, and wrote {dict(written)}")


def _mutated(count: int, random: Random) -> Iterator[tuple[str, bytes]]:
    """Bodies with ids of their own, so that few are replays; top-ups are for a loan that is there."""
    for number in range(count):
        path = PATHS[number % 2]
        good = fields(f"{number}-{random.randrange(10**9)}")
        if path == PATHS[1]:
            good |= {"loanId": "loan-active", "amount": "0.5"}
        yield path, mutate(good, random)


def _is_problem(answer: Answer) -> bool:
    if answer.media_type != _PROBLEM:
        return False
    body = json.loads(answer.body)
    return bool(body["status"] == answer.status and body["type"] and body["title"])
