"""What people do that they should not, or that others must know of: controls, settings, schema and rows."""

import threading
import time

import psycopg

from local.demo.settings import LOAN_EVENTS_TOPIC
from proofs.chaos import books
from proofs.chaos.faults.fault import Fault
from proofs.chaos.faults.markets import ORDERS

PAUSE_MINUTES = 2
LOCKED_SECONDS, FREE_SECONDS = 3.0, 1.5
"""So long that requests are slow, and so short that a scrape is still answered in time."""

PATIENCE_SECONDS = 60

_IN_FORCE = "SELECT count(*) FROM controls_control WHERE until > now()"
_CONSTRAINT = "refused_by_hand"
#: One new loan in five; what has been claimed before is left alone.
_REFUSE = f"""
DO $$ BEGIN EXECUTE format(
    'ALTER TABLE liquidation_liquidation ADD CONSTRAINT {_CONSTRAINT}'
    ' CHECK (id <= %s OR loan_id %% 5 <> 0) NOT VALID',
    (SELECT coalesce(max(id), 0) FROM liquidation_liquidation)
); END $$
"""
_ACCEPT = f"ALTER TABLE liquidation_liquidation DROP CONSTRAINT IF EXISTS {_CONSTRAINT}"
_GUARD = """
INSERT INTO pricing_priceguard (holds_from, mode, jump, agreement, dispute, changed_by)
SELECT now(), mode, %s::numeric, agreement, dispute, 'by hand'
FROM pricing_priceguard ORDER BY holds_from DESC, id DESC LIMIT 1
"""
_SETTLED = """
SELECT p.id FROM loans_collateralposting p JOIN liquidation_liquidation q USING (loan_id)
WHERE q.status = 'settled' ORDER BY p.id DESC LIMIT 1
"""
_POSTED = "UPDATE loans_collateralposting SET amount = amount + %s WHERE id = %s"


class ClaimsPaused(Fault):
    """One person pauses claims while the price falls and rises."""

    name = "claims-paused"
    what = f"a pause of claims for {PAUSE_MINUTES} minutes"
    touches = frozenset({"the whole bank"})
    seen_as = r"claims_withheld"
    alerts_if_left = frozenset({"ControlInForce", "ClaimsWithheld"})

    def inject(self) -> None:
        """Pull it."""
        from proofs.service.people import ASKS  # noqa: PLC0415  (needs the settings)

        who = ("--user", ASKS, "--why", "Its alarms are tried.")
        self.demo.manage("pull_control", "pause_claims", "--minutes", str(PAUSE_MINUTES), *who)

    def heal(self) -> None:
        """Wait until it has ended by itself."""
        until = time.monotonic() + PAUSE_MINUTES * 60 + PATIENCE_SECONDS
        while (still := books.rows(_IN_FORCE) != [(0,)]) and time.monotonic() < until:
            self.target.go_on()
            time.sleep(0.25)
        if still:
            self.complaints.append("the pause does not end by itself")


class SettingsDiffer(Fault):
    """The web is started with another liquidation LTV than the newest terms have, and with a mistyped topic."""

    name = "settings-differ"
    what = "the web's settings are not those of the others"
    touches = frozenset({"web"})
    seen_as = r""
    alerts_if_left = frozenset({"TermsDiffer", "LoanEventsTopicDiffers"})

    def inject(self) -> None:
        """Start it anew, with these settings."""
        self._start(LIQUIDATION_LTV="0.79", LOAN_EVENTS_TOPIC=f"{LOAN_EVENTS_TOPIC}-mistyped")

    def heal(self) -> None:
        """Start it as it was."""
        self._start()

    def _start(self, **changes: str) -> None:
        self.demo.supervisor.stop(["web-1"])
        self.demo.supervisor.start(self.demo.programs.webs(**changes))


class _ByStatement(Fault):
    """Somebody runs a statement at the database, and another one to undo it."""

    def run(self, statement: str, *parameters: object) -> None:
        """Run it as the owner of the tables. Raises psycopg.Error."""
        with psycopg.connect(self.demo.stack.postgres.owner_database_url, autocommit=True) as connection:
            connection.execute(statement.encode(), parameters or None)


class GuardByHand(_ByStatement):
    """A guard that takes a fall of 30 % for a jump, which no page would have accepted."""

    name = "guard-by-hand"
    what = "a guard over prices that the terms do not fit, inserted by hand"
    touches = frozenset({"the whole bank"})
    seen_as = r"guard_does_not_fit_terms"
    alerts_if_left = frozenset({"GuardDoesNotFitTerms"})

    def inject(self) -> None:
        """Insert it."""
        self.run(_GUARD, "0.30")

    def heal(self) -> None:
        """Insert the usual one."""
        self.run(_GUARD, "0.40")


class RowByHand(Fault):
    """Somebody changes a posting to a loan that is settled, past its triggers. The monitor, which would see, rests."""

    name = "row-by-hand"
    what = "a posting is changed by a superuser, past its triggers"
    touches = frozenset({"the whole bank"})
    seen_as = r"invariant_broken"
    environment = {"INVARIANTS_EVERY_MINUTES": "1"}
    alerts_if_left = frozenset({"InvariantBroken"})

    def inject(self) -> None:
        """Change it."""
        self.target.monitor.pause()
        self._posting: int | None = None
        self.go_on()

    def go_on(self) -> None:
        """Change it, if nothing was settled before."""
        if self._posting is None and (found := books.rows(_SETTLED)):
            self._posting = found[0][0]
            self._add(1)

    def heal(self) -> None:
        """Change it back."""
        if self._posting is not None:
            self._add(-1)
        self.target.monitor.resume()

    def _add(self, units: int) -> None:
        with psycopg.connect(self.demo.stack.superuser_database_url, autocommit=True) as connection:
            connection.execute("SET session_replication_role = replica")
            connection.execute(_POSTED, (units, self._posting))


class SchemaByHand(_ByStatement):
    """A constraint that somebody has added refuses claims of some loans."""

    name = "schema-by-hand"
    what = "a constraint added by hand refuses the claim of one loan in five"
    touches = frozenset({ORDERS})
    seen_as = r"claim_failed"
    alerts_if_left = frozenset({"ClaimFailed"})

    def inject(self) -> None:
        """Add it."""
        self.run(_REFUSE)

    def heal(self) -> None:
        """Drop it."""
        self.run(_ACCEPT)


class LoansLocked(Fault):
    """Somebody locks the loans again and again, each time for some seconds."""

    name = "loans-locked"
    what = f"the table of loans locked for {LOCKED_SECONDS:.0f} s, again and again"
    touches = frozenset({"postgres"})
    seen_as = r""
    alerts_if_left = frozenset({"ApiSlow"})
    alarmed_within_seconds = 480.0

    def inject(self) -> None:
        """Begin, in a thread."""
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._lock_again_and_again, name="locks", daemon=True)
        self._thread.start()

    def heal(self) -> None:
        """Leave them alone."""
        self._enough.set()
        self._thread.join()

    def _lock_again_and_again(self) -> None:
        with psycopg.connect(self.demo.stack.superuser_database_url) as connection:
            while not self._enough.is_set():
                with connection.transaction():
                    connection.execute("LOCK TABLE loans_loan IN ACCESS EXCLUSIVE MODE")
                    self._enough.wait(LOCKED_SECONDS)
                self._enough.wait(FREE_SECONDS)
