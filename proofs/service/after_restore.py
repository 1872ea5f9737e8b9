"""What an operator does after a restore, step by step as docs/operations.md says. Each step may be repeated."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import requests

from coruscant import clock
from coruscant.approvals.models import Approval
from coruscant.restores import holds
from coruscant.restores.models import Restore
from liquidation.reconciliation import two_people
from liquidation.reconciliation.models import DifferenceStatus, Reconciliation, ReconciliationDifference
from proofs.service.people import ASKS, TwoPeople
from proofs.service.running_service import NotAsPromised, require

#: What a command ends with that has done its work, and that found differences.
_DONE, _DIFFERENCES = 0, 1
_TRIES = 5


class Operator:
    """Runs the commands of one restore; a command that is killed is run again."""

    def __init__(
        self,
        manage: Callable[..., int],
        wait_for: Callable[[Callable[[], object], str], None],
        people: TwoPeople,
        markets: Mapping[str, str],
        folder: Path,
    ) -> None:
        """`manage` runs a management command and returns its exit code; `markets` are their addresses by name."""
        self._wait_for = wait_for
        self._manage = manage
        self._people = people
        self._markets = markets
        self._folder = folder

    def accept(self, since: datetime, *options: str) -> Restore:
        """Accept the restored database, which may lack what was committed after an instant."""
        asked_at = clock.now()
        for _ in range(_TRIES):
            self._manage("after_restore", "--since", since.isoformat(), "--user", ASKS, "--reason", "proof", *options)
            if found := Restore.objects.filter(begun_at__gte=asked_at).first():
                return found
        raise NotAsPromised("after_restore does not accept the database")

    def release_claims(self, restore: Restore) -> None:
        """Ask on the command line; the second person agrees. The OTC service has repeated its requests."""
        arguments = {"restore_id": restore.pk}
        asked = ("--user", ASKS, "--why", "The OTC service has repeated its requests.")
        self._manage("ask_approval", two_people.RELEASE_CLAIMS, json.dumps(arguments), *asked)
        approval = Approval.objects.filter(action=two_people.RELEASE_CLAIMS).first()
        require(approval and self._people.agree(approval.pk), "claims are not released")

    def compare(self, restore: Restore) -> None:
        """Wait until statements can cover the restore, then compare those of both markets."""
        until = holds.statements_cover(restore)[1]
        self._wait_for(lambda: clock.now() >= until, "statements can cover the restore")
        self.compare_now(restore)

    def compare_now(self, restore: Restore) -> None:
        """Get a statement of each market, of all its trades up to now, and compare it."""
        start = restore.since - timedelta(hours=1)
        for market, url in self._markets.items():
            end = clock.now()
            stated = requests.get(f"{url}/simulator/statement", timeout=10)
            stated.raise_for_status()
            statement = self._folder / f"statement-{market}.csv"
            statement.write_bytes(stated.content)
            period = ("--from", start.isoformat(), "--to", end.isoformat(), "--user", ASKS)
            command = ("reconcile", str(statement), "--market", market, *period)
            require(any(self._compared(market, command) for _ in range(_TRIES)), f"{market} cannot be compared")

    def _compared(self, market: str, command: tuple[str, ...]) -> bool:
        """Run the command once; whether it came to its end, with differences or without."""
        asked_at = clock.now()
        code = self._manage(*command)
        compared = Reconciliation.objects.filter(market=market, compared_at__gte=asked_at)
        return code in {_DONE, _DIFFERENCES} and compared.exists()

    def adopt_all(self) -> int:
        """Adopt the trade of every open difference, the earliest first; how many there were."""
        found = 0
        still_open = ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN).order_by("traded_at", "pk")
        while difference := still_open.first():
            what = f"{difference.kind} of {difference.market}, request {difference.request_id}, loan {difference.loan}"
            require(difference.loan, f"a difference belongs to no loan: {what}")
            self._people.adopt(difference.pk)
            found += 1
        return found
