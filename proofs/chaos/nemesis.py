"""Plays a plan: injects faults, lets them last, heals them, and measures until everything has recovered."""

import time
from collections.abc import Iterable, Sequence

import requests

from coruscant import clock
from proofs.chaos import books
from proofs.chaos.faults import EVERY, Fault, Target
from proofs.chaos.plan import Round
from proofs.chaos.recovery import Aspect, Recovery
from proofs.chaos.report import Played
from proofs.chaos.traces import Traces

RECOVERED_WITHIN_SECONDS = 60.0
GIVEN_UP_AFTER_SECONDS = 120.0
GIVEN_UP_AFTER_AN_ALARM_SECONDS = 300.0
"""Some faults leave a backlog of minutes."""
LOOK_SECONDS = 0.25
API_PATIENCE_SECONDS = 2.0
QUIET_WITHIN_SECONDS = 420.0
"""Longer than what has happened counts: some alerts look back five minutes."""


class Nemesis:
    """Owns nothing: whoever made it keeps the rest running in the target's `go_on`, called several times a second."""

    def __init__(self, target: Target) -> None:
        """Break parts of `target`."""
        self.played: list[Played] = []
        self.violations: list[str] = []
        self.silent_alerts: list[str] = []
        self.lasting_alerts: list[str] = []
        self._target = target

    def measure_nothing(self) -> None:
        """Measure a recovery from no fault at all: what the machine and the load take by themselves."""
        recovery = self._measure(time.monotonic())
        self._target.say(f"no fault at all: the same measurement takes {recovery.longest:.1f} s")

    def play(self, faults: Round) -> None:
        """Play one round: all its faults begin together, the longest ends last, and then all must recover."""
        names = " and ".join(faults)
        occurrences = [EVERY[name](self._target) for name in faults]
        self._target.say(f"{names}: {', '.join(fault.what for fault in occurrences)}")
        traces = Traces(self._target.demo.stack.log_folder)
        began, since = time.monotonic(), clock.now()
        for fault in occurrences:
            fault.inject()
        ended_at = self._let_last(occurrences, began)
        recovery = self._measure(ended_at)
        for fault in occurrences:
            fault.check()
            self.violations.extend(f"{fault.name}: {complaint}" for complaint in fault.complaints)
        if len(occurrences) == 1:
            self._note_alerts(occurrences[0], occurrences[0].alerts, began)
        unseen = [
            fault.name
            for fault in occurrences
            if not traces.found(fault.seen_as, by_postgres=fault.seen_by_postgres) and fault.met(since)
        ]
        one = Played(faults, dict(recovery.seconds), recovery.missing, unseen)
        self.violations.extend(broken_promises(one, min(fault.events_within_seconds for fault in occurrences)))
        self._tell(one, recovery)

    def alarm(self, name: str) -> None:
        """Leave a fault as it is until all its alerts have fired, heal it, and let everything recover.

        Waits first until none of them fires any more. How long a recovery takes after so long is measured, and not
        judged, unless nothing comes back at all.
        """
        fault, quiet_by = EVERY[name](self._target), time.monotonic() + QUIET_WITHIN_SECONDS
        alerts = fault.alerts | fault.alerts_if_left
        while (already := alerts & self._target.alarms.firing()) and time.monotonic() < quiet_by:
            self._wait()
        self.violations.extend(f"{name}: {alert} fires without it" for alert in sorted(already))
        self._target.say(f"{name}: {fault.what}, until {', '.join(sorted(alerts))}")
        traces, began = Traces(self._target.demo.stack.log_folder), time.monotonic()
        fault.inject()
        self._let_last_until_alarmed(fault, alerts, began)
        fault.heal()
        recovery = self._measure(time.monotonic(), GIVEN_UP_AFTER_AN_ALARM_SECONDS)
        fault.check()
        self.violations.extend(f"{name}: {complaint}" for complaint in fault.complaints)
        self._note_alerts(fault, alerts, began)
        unseen = [] if traces.found(fault.seen_as, by_postgres=fault.seen_by_postgres) else [name]
        one = Played((name,), dict(recovery.seconds), recovery.missing, unseen)
        self.violations.extend(f"{name}: {aspect} has not recovered" for aspect in recovery.missing)
        self._tell(one, recovery)

    def wait_for_quiet(self, names: Sequence[str]) -> None:
        """Wait until no alert fires any more, but those of these faults that wait for people."""
        excused = frozenset().union(*(EVERY[name].stays_until_people_act for name in names))
        until = time.monotonic() + QUIET_WITHIN_SECONDS
        while (lasting := self._target.alarms.firing() - excused) and time.monotonic() < until:
            self._wait()
        self.lasting_alerts.extend(sorted(lasting))

    def _let_last_until_alarmed(self, fault: Fault, alerts: Iterable[str], began: float) -> None:
        """Let it last until its alerts have fired, it is over by itself, or its time is up."""
        again_at = began + 1
        while not fault.over and time.monotonic() < began + fault.alarmed_within_seconds:
            self._wait()
            if time.monotonic() < again_at:
                continue
            again_at += 1
            fault.go_on()
            if None not in self._target.alarms.fired(alerts, began).values():
                return

    def _tell(self, one: Played, recovery: Recovery) -> None:
        """Keep it, and say how it went."""
        self.played.append(one)
        names = " and ".join(one.faults)
        slowest = max(recovery.seconds, key=lambda aspect: recovery.seconds[aspect], default=None)
        missing = f"; not recovered: {', '.join(recovery.missing)}" if recovery.missing else ""
        self._target.say(f"{names}: recovered in {recovery.longest:.1f} s, the last: {slowest}{missing}")

    def _let_last(self, faults: Sequence[Fault], began: float) -> float:
        """Heal each fault when its time has come; return when the last one ended, by the steady clock.

        A fault that lasts no time at all ends where it begins.
        """
        left = sorted(faults, key=lambda fault: fault.lasts_seconds)
        if not left[-1].lasts_seconds:
            for fault in left:
                fault.heal()
            return time.monotonic()
        again_at = began + 1
        while left:
            self._wait()
            if time.monotonic() >= again_at:
                again_at += 1
                for fault in left:
                    fault.go_on()
            if left[0].over or time.monotonic() >= began + left[0].lasts_seconds:
                left.pop(0).heal()
        return time.monotonic()

    def _measure(self, ended_at: float, within_seconds: float = GIVEN_UP_AFTER_SECONDS) -> Recovery:
        recovery = Recovery(ended_at)
        while not recovery.complete and time.monotonic() < ended_at + within_seconds:
            look, api, processes = books.look(), self._api_answers(), self._all_run()
            recovery.see(time.monotonic(), look, api=api, processes=processes)
            self._wait()
        return recovery

    def _note_alerts(self, fault: Fault, alerts: Iterable[str], began: float) -> None:
        for alert, seconds in self._target.alarms.wait_for(alerts, began, self._wait).items():
            if seconds is None:
                self.silent_alerts.append(f"{fault.name}: {alert}")
            else:
                self._target.say(f"{fault.name}: {alert} fired after {seconds:.0f} s")

    def _wait(self) -> None:
        self._target.go_on()
        time.sleep(LOOK_SECONDS)

    def _api_answers(self) -> bool:
        url = f"{self._target.demo.addresses.url('web')}/loans?pageSize=1"
        try:
            return requests.get(url, timeout=API_PATIENCE_SECONDS).ok
        except requests.RequestException:
            return False

    def _all_run(self) -> bool:
        demo = self._target.demo
        processes = all(kept.process.running for kept in demo.supervisor.kept.values())
        return processes and all(server.running for server in demo.stack.servers)


def broken_promises(one: Played, events_within_seconds: float) -> list[str]:
    """What took too long in a round, as sentences. Pure."""
    names = " and ".join(one.faults)
    found = [f"{names}: {aspect} had not recovered within {GIVEN_UP_AFTER_SECONDS:.0f} s" for aspect in one.missing]
    for aspect, seconds in one.seconds.items():
        bound = min(events_within_seconds, RECOVERED_WITHIN_SECONDS) if aspect is Aspect.EVENTS else None
        allowed = RECOVERED_WITHIN_SECONDS if bound is None else bound
        if seconds > allowed:
            found.append(f"{names}: {aspect} took {seconds:.1f} s to recover, {allowed:.0f} s are promised")
    return found
