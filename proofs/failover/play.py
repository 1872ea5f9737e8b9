"""Every case on a fresh database of one stack, whose cluster goes on from case to case."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import connections

from local.stack import EmbeddedStack
from proofs.failover.cases import AsynchronousStandby, Case, RestoredBackup, SynchronousStandby
from proofs.failover.full_disk import CannotMount, FullDisk
from proofs.failover.outcome import Outcome
from proofs.failover.rehearsal import CALM, LADDER, Rehearsal
from proofs.service.copies import drop, fresh_copy
from proofs.service.running_service import SHORT, NotAsPromised, RunningService, outside_world, service_environment
from proofs.service.topology import as_in_production, small

CASES: dict[str, type[Case]] = {
    "synchronous": SynchronousStandby,
    "asynchronous": AsynchronousStandby,
    "restored": RestoredBackup,
    "full-disk": FullDisk,
}
DATABASE = "failover"
#: Sales take a while and some orders fail, so that the primary dies while some are under way.
MARKETS: dict[str, Any] = {"fault_share": Decimal("0.2"), "partial_share": Decimal("0.2"), "slow_seconds": (0.2, 2.0)}
LATENCY_SECONDS = 0.2
#: The longest step is to wait until statements can cover a restore: a lease, the longest call, and a minute.
PATIENCE_SECONDS = 180


def play(stack: EmbeddedStack, names: Sequence[str], *, short: bool) -> Iterator[Outcome]:
    """Play cases, one after the other; a broken promise is a complaint of its outcome."""
    call_command("migrate", verbosity=0)
    for name in names:
        case = CASES[name](stack)
        with _fresh_database(stack):
            yield _play(stack, case, short=short)


def _play(stack: EmbeddedStack, case: Case, *, short: bool) -> Outcome:
    try:
        case.prepare()
    except CannotMount as error:
        return Outcome(case.name, skipped=f"no file system can be mounted here: {error}")
    try:
        with outside_world(stack, price=CALM, latency_seconds=LATENCY_SECONDS, **MARKETS) as markets:
            service = RunningService(stack, *markets)
            service.patience_seconds = PATIENCE_SECONDS
            chosen = SHORT if short else {}
            environment = {
                **service_environment(service),
                "DATABASE_FAILOVER": case.setting,
                "LOG_LEVEL": "INFO",
                **chosen,
            }
            commands = small if short else as_in_production
            service.describe(lambda port: commands(port, stack.folder, 1), environment)
            loans = LADDER[::2] if short else LADDER
            rehearsal = Rehearsal(service, case, environment, loans, wait=not short)
            service.branch.listen()
            try:
                service.start()
                rehearsal.play()
            except NotAsPromised as broken:
                rehearsal.outcome.complaints.append(str(broken))
            finally:
                rehearsal.end()
                for process in service.processes.values():
                    process.kill()
                service.branch.leave()
            return rehearsal.outcome
    finally:
        connections.close_all()
        case.clear()


@contextmanager
def _fresh_database(stack: EmbeddedStack) -> Iterator[None]:
    """Django is connected to a copy of the migrated database."""
    settings = connections["default"].settings_dict
    usual = str(settings["NAME"])
    connections.close_all()
    fresh_copy(stack, database=DATABASE, template=usual)
    settings["NAME"] = DATABASE
    try:
        yield
    finally:
        connections.close_all()
        settings["NAME"] = usual
        drop(stack, DATABASE)
