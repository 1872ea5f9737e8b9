"""Whether a demo went well: what the service booked, compared with what the simulators saw."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markup import escape

from local.demo.books import Books
from local.demo.simulators import ClientsLoan, Simulators, Trade

AT_LEAST = {"applied": 50, "activated": 20, "liquidated": 10}
MOST_NAMED = 5
#: Loans go on becoming active to the end, and SNS keeps no order: an event may overtake the one before it.
GAPS_CLOSE_WITHIN_SECONDS = 15


@dataclass(frozen=True, slots=True)
class Check:
    """Whether one thing is as it should be, and a sentence about it."""

    passed: bool
    sentence: str


def check_counts(counts: Mapping[str, int]) -> list[Check]:
    """Enough happened for the rest to mean something."""
    return [
        Check(
            counts[name] >= least,
            f"{counts[name]} loans {name.replace('applied', 'applied for')}, at least {least} wanted",
        )
        for name, least in AT_LEAST.items()
    ]


def check_finished(counts: Mapping[str, int]) -> Check:
    """Nothing is still under way."""
    unsent = counts["unsent"] + counts["unsent_loan_events"]
    return Check(
        counts["unsettled"] == 0 and unsent == 0,
        f"{counts['unsettled']} liquidations still sell, {unsent} events are not sent",
    )


def check_events(sent: Mapping[str, str], received: set[str]) -> Check:
    """The OTC service received every event marked as sent."""
    missing = sorted(set(sent) - received)
    return Check(
        not missing, f"{len(sent) - len(missing)} of {len(sent)} sent events reached the OTC service{named(missing)}"
    )


def check_loan_events(sent: set[str], received: set[str], gaps: list[str]) -> list[Check]:
    """The OTC service received every loan event marked as sent, and its own loans' events without a gap."""
    missing = sorted(sent - received)
    heard = f"{len(sent) - len(missing)} of {len(sent)} sent loan events reached the OTC service{named(missing)}"
    return [
        Check(bool(sent) and not missing, heard),
        Check(not gaps, f"{len(gaps)} loans have gaps in the sequence of their events{named(gaps)}"),
    ]


def check_fills(
    booked: Mapping[str, tuple[str, Decimal, Decimal]], traded: Mapping[str, Trade], pending: set[str]
) -> list[Check]:
    """The books agree with the markets' own order logs, in both directions.

    An order that still has no verdict is left to a person. It is not booked, but not forgotten either: it is left out.
    """
    unbooked = [request_id for request_id in traded if request_id not in booked and request_id not in pending]
    invented = [request_id for request_id in booked if request_id not in traded]
    different = [
        request_id
        for request_id, fill in booked.items()
        if (trade := traded.get(request_id)) and fill != (trade.market, trade.units, trade.proceeds)
    ]
    both = f"{len(traded) - len(unbooked)} of {len(traded)} trades of the markets are booked"
    back = f"{len(booked) - len(invented)} of {len(booked)} booked fills are in the markets' order logs"
    return [
        Check(not unbooked, both + named(unbooked)),
        Check(not invented, back + named(invented)),
        Check(not different, f"{len(different)} fills differ in units or proceeds{named(different)}"),
    ]


def check_postings(known: Mapping[str, ClientsLoan], booked: Mapping[str, tuple[Decimal, Decimal]]) -> Check:
    """Every request of a client had its effect once, however often it was sent: the books hold what was accepted.

    A loan with a request that got no answer is not compared: nobody knows whether that request had its effect.
    """
    sure = {loan_id: loan for loan_id, loan in known.items() if loan.sure}
    wrong = [
        loan_id
        for loan_id, loan in sure.items()
        if booked.get(loan_id, (loan.amount, Decimal(0))) != (loan.amount, loan.posted)
    ]
    right = f"{len(sure) - len(wrong)} of {len(sure)} loans hold exactly what their clients posted"
    return Check(not wrong, right + named(wrong))


def check_otc(violations: list[str]) -> Check:
    """The OTC service found nothing that breaks the contract."""
    return Check(not violations, f"{len(violations)} breaches of contract seen by the OTC service{named(violations)}")


def named(things: list[str]) -> str:
    """Return the first few, to follow a sentence."""
    return f": {', '.join(things[:MOST_NAMED])}{', …' if len(things) > MOST_NAMED else ''}" if things else ""


def check_run(
    books: Books, simulators: Simulators, since: datetime, invariants: Callable[[], str | None]
) -> list[Check]:
    """Check everything that happened since an instant. `invariants` returns what is wrong, or None."""
    counts, told = books.since(since), books.loan_events_since(since)
    report = report_without_gaps(simulators)
    before, posted, after = simulators.clients_loans(), books.posted_since(since), simulators.clients_loans()
    quiet = {loan_id: loan for loan_id, loan in after.items() if before.get(loan_id) == loan}
    received = {str(event["eventId"]) for event in report["eventsByLoan"].values()}
    wrong = invariants()
    return [
        *check_counts(counts),
        check_finished(counts),
        check_events(books.events_since(since), received),
        *check_loan_events(told, set(report["loanEventIds"]), report["loanEventGaps"]),
        *check_fills(books.fills_since(since), simulators.trades(), books.pending_orders()),
        check_postings(quiet, posted),
        check_otc([str(sentence) for sentence in report["violations"]]),
        Check(wrong is None, f"invariants hold{'' if wrong is None else ' not: ' + wrong}"),
    ]


def report_without_gaps(simulators: Simulators) -> dict[str, Any]:
    """Read the OTC service's report, again for a while if a loan's events have a gap that may still close."""
    until = time.monotonic() + GAPS_CLOSE_WITHIN_SECONDS
    while (report := simulators.otc_report(brief=False))["loanEventGaps"] and time.monotonic() < until:
        time.sleep(1)
    return report


def print_checks(console: Console, checks: list[Check]) -> int:
    """Print every check; return the exit code: 0, or 1 if one failed."""
    for check in checks:
        mark = "[green]ok    [/]" if check.passed else "[bold red]FAILED[/]"
        console.print(f"  {mark} {escape(check.sentence)}", highlight=False, soft_wrap=True)
    failed = sum(not check.passed for check in checks)
    console.print(f"{failed} of {len(checks)} checks failed." if failed else "Everything holds.")
    return 1 if failed else 0
