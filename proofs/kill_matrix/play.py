"""One cell from an empty database to its outcome."""

import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connections

from coruscant import clock
from local.demo.errors import DemoError
from local.stack import EmbeddedStack
from pricing.markets import Market
from pricing.models import Feed, PriceQuote
from proofs.kill_matrix.bank import Bank
from proofs.kill_matrix.cells import Cell, Fault
from proofs.kill_matrix.frozen import changes_nothing_after
from proofs.kill_matrix.outcome import Outcome
from proofs.kill_matrix.restore_scenario import RestoreScenario
from proofs.kill_matrix.scenario import NOTICE_LTV, Scenario
from proofs.service.copies import backup_of, drop, fresh_copy
from proofs.service.running_service import NotAsPromised, outside_world, service_environment
from proofs.service.topology import as_in_production

_TRIES_WITH_MANY_LOANS = 4


class CellRunner:
    """Runs cells on one stack; each gets a fresh copy of a migrated database."""

    def __init__(self, stack: EmbeddedStack, template: str, database: str, chosen: Mapping[str, str]) -> None:
        """`chosen` are settings of the service that differ from the defaults."""
        self._stack = stack
        self._template = template
        self._database = database
        self._settings = chosen

    def play(self, cell: Cell) -> Outcome:
        """Play the scenario while the fault of the cell happens; a broken promise is a complaint of the outcome.

        With many loans, a cell whose failpoint is not reached is played again: recovery may enqueue the rest of the
        sales before a sales worker does.
        """
        many_loans = cell.failpoint.startswith("enqueue.") and cell.role == "sales"
        for _ in range(_TRIES_WITH_MANY_LOANS if many_loans else 1):
            outcome = self._play_once(cell, many_loans=many_loans)
            if outcome.seconds is not None:
                break
        return outcome

    def _play_once(self, cell: Cell, *, many_loans: bool) -> Outcome:
        outcome = Outcome(cell)
        with self._open(cell) as bank:
            scenario = RestoreScenario(bank) if cell.is_of_a_restore else Scenario(bank, many_loans=many_loans)
            try:
                bank.start()
                scenario.play()
                completed_at = time.time()
                bank.look()  # it may have died in the last moment
                scenario.check()
                if cell.fault is Fault.FREEZE and bank.died_at:
                    changes_nothing_after(bank)
                    scenario.check()
            except (NotAsPromised, DemoError) as broken:
                completed_at = time.time()
                outcome.complaints.append(str(broken))
            outcome.victim = bank.victim
            if bank.died_at:
                outcome.seconds = (bank.recovered_at or completed_at) - bank.died_at
            outcome.check()
            if outcome.complaints:
                self._keep_logs(cell)
        return outcome

    @contextmanager
    def _open(self, cell: Cell) -> Iterator[Bank]:
        """A bank on a fresh database, described and not yet started."""
        marks = self._stack.folder / "marks"
        shutil.rmtree(marks, ignore_errors=True)
        marks.mkdir(parents=True)
        usual = connections["default"].settings_dict["NAME"]
        connections.close_all()
        fresh_copy(self._stack, database=self._database, template=self._template)
        connections["default"].settings_dict["NAME"] = self._database
        try:
            _add_old_quotes()
            with outside_world(self._stack, partial_share=Decimal("0.2"), latency_seconds=0.02) as markets:
                bank = Bank(self._stack, markets, cell, marks)
                notice = {} if cell.is_of_a_restore else {"MARGIN_NOTICE_LTV": NOTICE_LTV}
                environment = {**service_environment(bank), "LOG_LEVEL": "INFO", **notice, **self._settings}
                bank.environment = environment
                bank.describe(lambda port: self._commands(port, bank.stand_in), environment, bank.arming)
                bank.branch.listen()
                try:
                    yield bank
                finally:
                    bank.end()
                    bank.branch.leave()
        finally:
            connections.close_all()
            connections["default"].settings_dict["NAME"] = usual
            drop(self._stack, self._database)
            drop(self._stack, backup_of(self._database))

    def _commands(self, port: int, stand_in: str) -> dict[str, tuple[str, ...]]:
        """One of each process of a deployment, and the stand-in."""
        commands = as_in_production(port, self._stack.folder, copies=2)
        return {name: command for name, command in commands.items() if name.endswith("-1") or name == stand_in}

    def _keep_logs(self, cell: Cell) -> None:
        """Put the logs of a cell that broke a promise aside."""
        kept = self._stack.folder / "broken" / str(cell).replace(" ", "-")
        shutil.rmtree(kept, ignore_errors=True)
        shutil.copytree(self._stack.log_folder, kept)


def _add_old_quotes() -> None:
    """Three quotes of each market beyond their retention; the last stays, since later ones are judged against it.

    They are as an evaluation left them. Without `effective_from` all three would go if a pruning came before the first
    evaluation.
    """
    first_at = clock.now() - timedelta(days=settings.QUOTE_RETENTION_DAYS + 10)
    levels = [["1", "50"]]
    for market in Market:
        PriceQuote.objects.bulk_create(
            PriceQuote(
                market=market, message_id=f"old-{number}", market_time=number, sell=levels, buy=levels,
                sent_at=at, received_at=at, evaluated_at=at, effective_from=at,
            )
            for number in (1, 2, 3)
            for at in [first_at + timedelta(seconds=number)]
        )  # fmt: skip
        Feed.objects.create(market=market, received=3, quotes=3)
