"""What happens in the cells of a restore: the database goes back, and an operator and two people make it good.

The database is replaced by a copy that was made before some loans were claimed, sold and published. Then everything is
done that docs/operations.md says, each step again if whoever does it was killed. It is accepted twice, which extends
the restore. In the cells of a release the same database is accepted once more, or twice, with nothing to be adopted.
LTVs of the loans are in `scenario.py`.
"""

import time
from datetime import datetime

from django.db import connections

from coruscant import clock
from coruscant.approvals.models import Approval, Outcome
from coruscant.restores.models import Restore
from liquidation.reconciliation import two_people
from liquidation.reconciliation.models import DifferenceStatus, ReconciliationDifference
from proofs.kill_matrix.bank import Bank
from proofs.kill_matrix.scenario import RESCUE, RESCUED, Scenario, Step
from proofs.service.after_restore import Operator
from proofs.service.copies import backup_of, copy_in_use, fresh_copy
from proofs.service.people import TwoPeople, make_people
from proofs.service.running_service import require

#: Everything is active; one kind of loans is claimed before the copy is made, one after it, one after the restores.
CALM, BEFORE, AFTER, AT_LAST = "60", "36.5", "34", "30"


class RestoreScenario(Scenario):
    """Plays it, and knows what the result must be."""

    def __init__(self, bank: Bank) -> None:
        """Two people and an operator are outside of the bank's processes."""
        super().__init__(bank, many_loans=False)
        people = TwoPeople(lambda: f"http://127.0.0.1:{bank.port}", bank.eventually)
        markets = dict(zip(("mos_espa", "black_spire_outpost"), (market.url for market in bank.markets), strict=True))
        self._operator = Operator(bank.operate, bank.eventually, people, markets, bank.stack.folder)
        self._adopted = 0
        # Only the operator's own releases count there: the first is an approval's.
        self._without_loss = bank.cell.time if bank.cell.failpoint.startswith("release.") else 0

    def play(self) -> None:
        """From the first application to the last event. Raises NotAsPromised if a step has no effect in time."""
        make_people()
        bank, everybody = self._bank, sum(self._loans.values())
        bank.set_price(CALM)
        for units, number in self._loans.items():
            for index in range(number):
                self._lend(f"loan-{units}-{index}", units)
        self._reach(Step(CALM, everybody, 0, 0))
        self._sell(BEFORE, claimed=2)
        since = self._back_up()
        known = len(self._accepted)
        self._post(RESCUED, RESCUE)
        self._sell(AFTER, claimed=4)
        self._go_back()
        self._operator.accept(since)
        self._note_recovery()
        restore = self._operator.accept(since, "--insist")
        self._note_recovery()
        self._repeat_requests(known)
        self._release(restore)
        self._adopted = self._operator.adopt_all()
        self._note_recovery()
        self._finish_sales(claimed=4)
        for _ in range(self._without_loss):
            self._release(self._operator.accept(clock.now(), "--insist"))
        self._sell(AT_LAST, claimed=everybody - 1)

    def check(self) -> None:
        """Nothing was sold, executed or begun twice, and the books agree with what others have seen."""
        bank = self._bank
        bank.books_and_markets_agree()
        bank.every_event_was_heard()
        self._every_request_has_its_answer()
        restores = list(Restore.objects.all())
        require(len(restores) == 1 + self._without_loss, f"there were {len(restores)} restores")
        held = [restore.pk for restore in restores if not (restore.compared_at and restore.claims_released_at)]
        require(not held, f"restores {held} still hold something")
        adopted = ReconciliationDifference.objects.filter(status=DifferenceStatus.ADOPTED).count()
        require(adopted == self._adopted > 1, f"{self._adopted} differences were to be adopted, {adopted} are")
        for action, times in ((two_people.ADOPT, adopted), (two_people.RELEASE_CLAIMS, len(restores))):
            executed = Approval.objects.filter(action=action, outcome=Outcome.EXECUTED).count()
            require(executed == times, f"{action} was executed {executed} times, not {times}")

    def _sell(self, price: str, *, claimed: int) -> None:
        """The price falls until so many loans are claimed in all, and recovers once all of them are sold."""
        self._bank.set_price(price)
        self._bank.eventually(lambda: self._bank.loans("active") == self._active(claimed), f"{claimed} are claimed")
        self._finish_sales(claimed)
        self._bank.set_price(CALM)
        self._bank.eventually(self._every_price_since_is_evaluated, "the price is evaluated")

    def _active(self, claimed: int) -> int:
        return sum(self._loans.values()) - claimed

    def _finish_sales(self, claimed: int) -> None:
        bank = self._bank
        bank.eventually(bank.everything_is_settled, "all are sold and published")
        bank.eventually(lambda: len(set(bank.branch.heard())) == claimed, "every event is heard")

    def _every_price_since_is_evaluated(self) -> bool:
        """Whether both markets are at the calm price in the books, and nothing is left to be evaluated."""
        return not self._bank.count(
            "SELECT (SELECT count(*) FROM pricing_pricequote WHERE evaluated_at IS NULL) + (SELECT count(*) FROM ("
            " SELECT DISTINCT ON (market) sell -> 0 ->> 1 AS price FROM pricing_pricequote"
            " ORDER BY market, sent_at DESC, id DESC) AS latest WHERE price::numeric <> %s::numeric)",
            CALM,
        )

    @property
    def _database(self) -> str:
        return str(connections["default"].settings_dict["NAME"])

    def _back_up(self) -> datetime:
        since = clock.now()
        connections.close_all()
        copy_in_use(self._bank.stack, database=backup_of(self._database), template=self._database)
        return since

    def _go_back(self) -> None:
        connections.close_all()
        fresh_copy(self._bank.stack, database=self._database, template=backup_of(self._database))

    def _repeat_requests(self, known: int) -> None:
        """The clients send again what was accepted after the copy was made."""
        lost, self._accepted = self._accepted[known:], self._accepted[:known]
        for path, body, _answer in lost:
            self._ask(path, body)

    def _release(self, restore: Restore) -> None:
        self._operator.release_claims(restore)
        self._note_recovery()
        self._operator.compare(restore)
        self._note_recovery()

    def _note_recovery(self) -> None:
        """What was interrupted, if anything was, has been done again by now."""
        self._bank.look()
        if self._bank.died_at and self._bank.recovered_at is None:
            self._bank.recovered_at = time.time()
