"""Faults that put another database in the place of the bank's: played alone, once, at the end of a run."""

import shutil
import time
from typing import Any

from coruscant import clock
from local.demo.simulators import MARKETS
from local.stack.standby import Standby
from proofs.chaos import books
from proofs.chaos.faults.fault import Fault

#: So many trades are booked before the database goes: it is in the middle of a crash.
ENOUGH_TRADES = 15
#: How long the operator takes to come.
NOTICED_AFTER_SECONDS = 5.0
#: For a command, and until statements can cover the restore.
PATIENCE_SECONDS = 150

_TRADES = "SELECT count(*) FROM liquidation_tradeorder WHERE status = 'filled' AND answered_at >= %s"
_SENDS = "SELECT request_id, sends, status FROM liquidation_tradeorder"
_HELD = """
SELECT (SELECT count(*) FROM liquidation_liquidation WHERE held_by_id IS NOT NULL),
       (SELECT count(*) FROM restores_restore)
"""
_ACCEPTED_BY = "SELECT accepted_by FROM restores_databaseidentity ORDER BY id DESC LIMIT 1"


class _AnotherDatabase(Fault):
    """Waits until the markets have traded, so that the database goes while sales are under way."""

    touches = frozenset({"the whole bank"})
    changes_the_bank = True
    lasts_seconds = 60

    def begin_counting(self) -> None:
        """Count trades from now on."""
        self._counted_from = clock.now()

    @property
    def enough_was_traded(self) -> bool:
        """Whether ENOUGH_TRADES were booked since."""
        return self.trades >= ENOUGH_TRADES

    @property
    def trades(self) -> int:
        """How many were booked since."""
        ((trades,),) = books.rows(_TRADES, [self._counted_from])
        return int(trades)


class DatabaseRestored(_AnotherDatabase):
    """The database goes back to a physical backup, taken some seconds of a crash before; an operator does the rest.

    Nothing is excused but what the restore itself has lost: until the trades are adopted the monitor does not look.
    """

    name = "database-restored"
    what = "the database goes back to a backup in mid-crash; then after_restore, statements, adoptions by two people"
    seen_as = r"database_replaced"
    alerts = frozenset({"DatabaseReplaced", "ClaimsHeld", "LiquidationsHeld", "DifferencesOpen"})

    def inject(self) -> None:
        """Take a backup; what is committed from now on will be lost."""
        self._struck_at: float | None = None
        postgres = self.demo.stack.postgres
        self._backup = postgres.data.with_name(f"{postgres.data.name}.backup")
        shutil.rmtree(self._backup, ignore_errors=True)
        self._since = clock.now()
        postgres.back_up(self._backup)
        self.begin_counting()

    def go_on(self) -> None:
        """Go back once enough was traded; some seconds later the operator comes."""
        if self._struck_at is None:
            if self.enough_was_traded:
                self._go_back()
        elif time.monotonic() >= self._struck_at + NOTICED_AFTER_SECONDS:
            self.over = True

    def heal(self) -> None:
        """Do what docs/operations.md says."""
        from proofs.service.after_restore import Operator  # noqa: PLC0415  (needs the settings)
        from proofs.service.people import TwoPeople  # noqa: PLC0415

        if self._struck_at is None:
            self.complaints.append(f"fewer than {ENOUGH_TRADES} trades within {self.lasts_seconds} s")
            return
        people = TwoPeople(lambda: self.demo.addresses.url("web"), self._wait_for)
        markets = {market: self.demo.addresses.url(market) for market in MARKETS}
        operator = Operator(self._manage, self._wait_for, people, markets, self.demo.stack.folder)
        usual_rate = self.demo.simulators.otc_report()["rate"]
        self.demo.simulators.set_rate(0)  # new business waits until the requests are repeated
        restore = operator.accept(self._since)
        repeated = self.demo.simulators.repeat_requests(self._since)
        self.demo.simulators.set_rate(usual_rate)
        operator.release_claims(restore)
        operator.compare(restore)
        adopted = operator.adopt_all()
        restore.refresh_from_db()
        if restore.compared_at is None:
            self.complaints.append("all trades are adopted, and the restore goes on holding")
        self.target.monitor.resume()
        self.target.say(f"{self.name}: {repeated} requests repeated, {adopted} trades adopted by two people")

    def _go_back(self) -> None:
        self.target.monitor.pause()
        trades = self.trades
        books.disconnect()
        self.demo.stack.postgres.restore(self._backup)
        self._struck_at = time.monotonic()
        self.target.say(f"{self.name}: back to {self._since:%H:%M:%S} UTC, {trades} trades are lost")

    def _manage(self, *command: str) -> int:
        """Run a management command, with everything else kept running; return its exit code."""
        process = self.demo.programs.manage(*command)
        process.start()
        self._wait_for(lambda: not process.running, f"manage.py {command[0]} ends")
        code = process.wait(1)
        process.kill()
        return 1 if code is None else code

    def _wait_for(self, true: Any, what: str) -> None:
        from proofs.service.running_service import NotAsPromised  # noqa: PLC0415  (needs the settings)

        until = time.monotonic() + PATIENCE_SECONDS
        while not true():
            if time.monotonic() > until:
                raise NotAsPromised(f"not within {PATIENCE_SECONDS} s: {what}")
            self.target.go_on()
            time.sleep(0.05)


class StandbyPromoted(_AnotherDatabase):
    """The primary is killed, and a synchronous standby takes over at its address: nothing is lost, nothing is held."""

    name = "standby-promoted"
    what = "kill -9 of the primary in mid-crash, its synchronous standby is promoted"
    seen_as = r"database_failover_accepted"
    environment = {"DATABASE_FAILOVER": "synchronous"}

    def inject(self) -> None:
        """Give the database a standby, and let it commit nothing without it from then on."""
        stack = self.demo.stack
        self._standby = Standby(stack.postgres, stack.folder / "standby", stack.log_folder)
        shutil.rmtree(self._standby.data, ignore_errors=True)
        self._standby.start()
        self._standby.make_synchronous()
        self.begin_counting()

    def go_on(self) -> None:
        """Wait for the middle of a crash."""
        self.over = self.enough_was_traded

    def heal(self) -> None:
        """Kill the primary and promote."""
        if not self.enough_was_traded:
            self.complaints.append(f"fewer than {ENOUGH_TRADES} trades within {self.lasts_seconds} s")
        self._before = books.rows(_SENDS)
        books.disconnect()
        self._standby.take_over()

    def check(self) -> None:
        """Every send that was committed is there, and nobody was asked for anything."""
        now = {request_id: sends for request_id, sends, _status in books.rows(_SENDS)}
        lost = [request_id for request_id, sends, _status in self._before if now.get(request_id, 0) < sends]
        if lost:
            self.complaints.append(f"{len(lost)} of {len(self._before)} orders were lost, such as {lost[0]}")
        ((held, restores),) = books.rows(_HELD)
        if held or restores:
            self.complaints.append(f"{held} liquidations are held, by {restores} restores")
        ((accepted_by,),) = books.rows(_ACCEPTED_BY)
        if accepted_by != "DATABASE_FAILOVER=synchronous":
            self.complaints.append(f"the database was accepted by {accepted_by}")
        self.target.say(f"{self.name}: none of {len(self._before)} orders lost, {held} sales held")
