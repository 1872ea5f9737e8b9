"""Faults of our own processes: killed, doubled, frozen."""

import math
import os
import signal
import time
from contextlib import suppress
from dataclasses import replace
from typing import ClassVar

from local.processes import WORKERS
from proofs.chaos.faults.fault import Fault
from proofs.chaos.faults.prices import PRICES

HIGH_SECONDS, LOW_SECONDS, MORE_SECONDS = 40, 8, 10
"""For how long prices are high, then low; and how much longer than its alarm takes a worker stays frozen."""


class _Killed(Fault):
    """The process and its children end by SIGKILL; the supervisor starts it again."""

    process: ClassVar[str]

    def inject(self) -> None:
        """Kill."""
        self.demo.supervisor.kept[self.process].process.send(signal.SIGKILL)


class PricesWorkerKilled(_Killed):
    """The only price worker dies."""

    name = "prices-worker-killed"
    what = "kill -9 of the worker that polls prices"
    touches = frozenset({"prices worker"})
    seen_as = r"prices1@.* ready"
    process = "worker-prices-1"


class RiskWorkerKilled(_Killed):
    """The only worker that evaluates loans and recovers dies."""

    name = "risk-worker-killed"
    what = "kill -9 of the worker that evaluates loans and recovers"
    touches = frozenset({"risk worker"})
    seen_as = r"risk1@.* ready"
    process = "worker-risk-1"


class SalesWorkerKilled(_Killed):
    """The only worker that sells and publishes dies, with all its calls under way."""

    name = "sales-worker-killed"
    what = "kill -9 of the worker that sells and publishes"
    touches = frozenset({"sales worker"})
    seen_as = r"sales1@.* ready"
    process = "worker-sales-1"


class WebKilled(_Killed):
    """The only web server dies."""

    name = "web-killed"
    what = "kill -9 of the web server"
    touches = frozenset({"web"})
    seen_as = r"Booting worker"
    process = "web-1"


class BeatKilled(_Killed):
    """The only scheduler dies."""

    name = "beat-killed"
    what = "kill -9 of beat"
    touches = frozenset({"beat"})
    seen_as = r'"process": "beat".*"process_started"'
    process = "beat-1"


class TwoBeats(Fault):
    """A second scheduler enqueues every task as well."""

    name = "two-beats"
    what = "two beats at once"
    touches = frozenset({"beat"})
    seen_as = r'"process": "beat".*"process_started"'
    lasts_seconds = 8
    number = 1

    def inject(self) -> None:
        """Start it, under a number of its own, so that its log is its own too."""
        TwoBeats.number += 1
        self.demo.supervisor.start([self.demo.programs.beat(self.number)])

    def heal(self) -> None:
        """Stop it."""
        self.demo.supervisor.stop([f"beat-{self.number}"])


class _Frozen(Fault):
    """A process and its children are frozen (SIGSTOP)."""

    process: ClassVar[str]

    def inject(self) -> None:
        """Freeze them."""
        self._signal(signal.SIGSTOP)

    def heal(self) -> None:
        """Let them go on. Harmless when repeated."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        pid = self.demo.supervisor.kept[self.process].process.pid
        if pid is not None:
            with suppress(ProcessLookupError):  # its watchdog has ended it, and it is started again
                os.killpg(pid, number)


class BeatFrozen(_Frozen):
    """The only scheduler is frozen (SIGSTOP), as a paused container is: it looks alive, and nothing is enqueued.

    Played alone, so that its alarm is always asked for.
    """

    name = "beat-frozen"
    what = "beat frozen for longer than its alarm takes"
    touches = frozenset({"the whole bank"})
    changes_the_bank = True
    seen_as = r""
    alerts = frozenset({"BeatSilent", "ProcessSilent"})
    lasts_seconds = 35
    process = "beat-1"


class PollerStopped(_Frozen):
    """The price worker is frozen for longer than a price lives and than its alarm takes. Its queues fill."""

    name = "poller-stopped"
    what = "price worker frozen while its queues fill"
    touches = frozenset({"prices worker", "price interval"})
    seen_as = r"quotes_came_too_late|lagging_feed_held|poller_gone"
    alerts = frozenset({"WorkersSilent", "ProcessSilent"})
    alerts_if_left = frozenset({"PriceMessagesWait"})
    lasts_seconds = 35
    process = "worker-prices-1"

    def inject(self) -> None:
        """Freeze it, and let the markets hurry."""
        super().inject()
        self.demo.simulators.set_markets({"interval": "0.1"})

    def heal(self) -> None:
        """Let it go on."""
        super().heal()
        self.demo.simulators.set_markets({"interval": "1"})


class RiskWorkerFrozen(_Frozen):
    """The risk worker is frozen while prices fall and come back. It goes on after its alarm, and claims late."""

    name = "risk-worker-frozen"
    what = "risk worker frozen while prices fall and come back"
    touches = frozenset({"risk worker", PRICES})
    seen_as = r"loans_claimed"
    alerts_if_left = frozenset({"QuotesUnevaluated", "ClaimsSlow"})
    process = "worker-risk-1"

    def inject(self) -> None:
        """Let prices rise, so that there are loans to be claimed."""
        self.target.price_cycle.rests = True
        self.demo.simulators.recover(1)
        self._falls_at = time.monotonic() + HIGH_SECONDS
        self._rises_at = self._falls_at + LOW_SECONDS
        self._goes_on_at = math.inf

    def go_on(self) -> None:
        """Freeze it when prices fall, let them rise, and let it go on some seconds after its alarm."""
        now = time.monotonic()
        if now >= self._falls_at:
            self._falls_at = math.inf
            super().inject()
            self.demo.simulators.crash(1)
        elif now >= self._rises_at:
            self._rises_at = math.inf
            self.demo.simulators.recover(1)
        elif now >= self._goes_on_at:
            super().heal()
        elif self._goes_on_at == math.inf and "QuotesUnevaluated" in self.target.alarms.firing():
            self._goes_on_at = now + MORE_SECONDS

    def heal(self) -> None:
        """Let it go on."""
        super().heal()
        self.target.price_cycle.rests = False


class SalesWorkerFrozen(_Frozen):
    """The worker that sells is frozen while four times as many loans as usual are made, and claimed."""

    name = "sales-worker-frozen"
    what = "sales worker frozen while many loans are claimed"
    touches = frozenset({"sales worker"})
    seen_as = r"recovery_enqueued"
    alerts_if_left = frozenset({"SalesOverdue", "TasksOld", "TasksWait"})
    alarmed_within_seconds = 480.0
    process = "worker-sales-1"

    def inject(self) -> None:
        """Freeze it, and let clients hurry."""
        super().inject()
        self._usual_rate = self.demo.simulators.otc_report()["rate"]
        self.demo.simulators.set_rate(4 * self._usual_rate)

    def heal(self) -> None:
        """Let it go on."""
        super().heal()
        self.demo.simulators.set_rate(self._usual_rate)


class ReplayWorkerFrozen(_Frozen):
    """The worker of policy replays is frozen."""

    name = "replay-worker-frozen"
    what = "worker of policy replays frozen"
    touches = frozenset({"replay worker"})
    seen_as = r""
    alerts_if_left = frozenset({"ReplayWorkersSilent"})
    process = "worker-replay-1"


class WebFrozen(_Frozen):
    """The only web server is frozen: nobody answers a scrape."""

    name = "web-frozen"
    what = "web server frozen"
    touches = frozenset({"web"})
    seen_as = r""
    alerts_if_left = frozenset({"MetricsMissing"})
    process = "web-1"


class MaintenanceUnserved(Fault):
    """The risk worker was started without its second queue, `maintenance`."""

    name = "maintenance-unserved"
    what = "no worker takes from the queue `maintenance`"
    touches = frozenset({"the whole bank"})
    seen_as = r""
    environment = {"INVARIANTS_EVERY_MINUTES": "1"}
    alerts_if_left = frozenset({"InvariantsUnchecked"})
    alarmed_within_seconds = 35 * 60.0

    def inject(self) -> None:
        """Start it so."""
        self._start(("risk",))

    def heal(self) -> None:
        """Start it as it should be."""
        self._start(WORKERS["risk"].queues)

    def _start(self, queues: tuple[str, ...]) -> None:
        self.demo.supervisor.stop(["worker-risk-1"])
        self.demo.supervisor.start([self.demo.programs.worker(replace(WORKERS["risk"], queues=queues), 1)])
