"""Faults of our own processes: killed, doubled, frozen."""

import os
import signal
from typing import ClassVar

from proofs.chaos.faults.fault import Fault


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


class BeatFrozen(Fault):
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

    def inject(self) -> None:
        """Freeze it."""
        self.demo.supervisor.kept["beat-1"].process.pause()

    def heal(self) -> None:
        """Let it go on."""
        self.demo.supervisor.kept["beat-1"].process.resume()


class PollerStopped(Fault):
    """The price worker and its children are frozen (SIGSTOP), for longer than a price lives and than its alarm takes.

    Its queues fill.
    """

    name = "poller-stopped"
    what = "price worker frozen while its queues fill"
    touches = frozenset({"prices worker", "price interval"})
    seen_as = r"quotes_came_too_late|lagging_feed_held|poller_gone"
    alerts = frozenset({"WorkersSilent", "ProcessSilent"})
    lasts_seconds = 35

    def inject(self) -> None:
        """Freeze it, and let the markets hurry."""
        self._signal(signal.SIGSTOP)
        self.demo.simulators.set_markets({"interval": "0.1"})

    def heal(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)
        self.demo.simulators.set_markets({"interval": "1"})

    def _signal(self, number: signal.Signals) -> None:
        pid = self.demo.supervisor.kept["worker-prices-1"].process.pid
        if pid is not None:
            os.killpg(pid, number)
