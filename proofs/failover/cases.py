"""What becomes of the database in each case, and what an operator has to do with the servers."""

import shutil
import time
from collections.abc import Callable
from datetime import datetime
from typing import ClassVar

from coruscant import clock
from local.stack import EmbeddedStack
from local.stack.standby import Standby, commit_alone

#: How long the operator, or what acts for him, takes to notice that the primary is gone.
NOTICED_AFTER_SECONDS = 5.0


class Case:
    """One way to lose a primary. `prepare` before the crash, `fall_behind` in it, `replace` a while later, `clear`."""

    name: ClassVar[str]
    #: The service's DATABASE_FAILOVER.
    setting: ClassVar[str]
    #: Whether it loses what was committed after `fall_behind`.
    loses: ClassVar[bool] = True
    #: What was done to the servers, in words.
    operator: ClassVar[str]
    #: What an operator finds in the service's logs.
    seen_as: ClassVar[str]

    def __init__(self, stack: EmbeddedStack) -> None:
        """The primary is that of the stack."""
        self.stack = stack
        self.primary = stack.postgres
        self.killed_at = 0.0
        """When the primary was killed, in seconds since the epoch."""
        self.back_at = 0.0
        """From when on something was in its place, at the earliest."""
        self.seen: list[str] = []
        """What else a person should know."""

    def prepare(self) -> None:
        """Make ready what takes over later; the primary runs, and the service does not yet."""
        commit_alone(self.primary)  # an earlier run may have been killed while it had a standby

    def fall_behind(self) -> None:
        """What is committed from now on is lost."""

    def replace(self, disconnect: Callable[[], None]) -> datetime:
        """Kill the primary, and put something else in its place some seconds later.

        Returns the instant that the operator knows the books to have gone back to.
        """
        disconnect()
        self.killed_at = time.time()
        self.primary.kill()
        time.sleep(NOTICED_AFTER_SECONDS)
        self.back_at = time.time()
        return self._take_over()

    def _take_over(self) -> datetime:
        raise NotImplementedError

    def clear(self) -> None:
        """Stop what was started beside the stack."""


class _PromotedStandby(Case):
    operator = "promoted the standby"

    def prepare(self) -> None:
        """Make a standby that follows the primary."""
        super().prepare()
        self._standby = Standby(self.primary, self.stack.folder / "standby", self.stack.log_folder)
        shutil.rmtree(self._standby.data, ignore_errors=True)
        self._standby.start()

    def _take_over(self) -> datetime:
        last = self._standby.last_commit()
        self._standby.take_over()
        return last

    def clear(self) -> None:
        """Stop the standby, if it has not taken over."""
        self._standby.kill()
        if self.primary.running:
            commit_alone(self.primary)


class SynchronousStandby(_PromotedStandby):
    """A synchronous standby is promoted: it has every commit that was acknowledged."""

    name = "synchronous standby"
    seen_as = "database_failover_accepted"
    setting = "synchronous"
    loses = False

    def prepare(self) -> None:
        """From now on nothing is committed without it."""
        super().prepare()
        self._standby.make_synchronous()


class AsynchronousStandby(_PromotedStandby):
    """A standby is promoted that has not heard the last seconds."""

    name = "asynchronous standby"
    seen_as = "database_replaced"
    setting = "asynchronous"

    def fall_behind(self) -> None:
        """Its connection is lost."""
        self._standby.cut_off()


class RestoredBackup(Case):
    """A physical backup is restored that was taken in the middle of the crash."""

    name = "restored backup"
    seen_as = "database_replaced"
    setting = "asynchronous"
    operator = "restored the backup"

    def fall_behind(self) -> None:
        """Take the backup."""
        self._backup = self.primary.data.with_name(f"{self.primary.data.name}.backup")
        shutil.rmtree(self._backup, ignore_errors=True)
        self._since = clock.now()
        self.primary.back_up(self._backup)

    def _take_over(self) -> datetime:
        self.primary.restore(self._backup)
        return self._since
