"""`manage.py reconcile --market M FILE`: compares a market's statement with the books."""

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coruscant.admin.figures import figure, instant
from coruscant.errors import DomainError
from coruscant.restores import holds
from liquidation.management.commands.after_restore import instant_argument
from liquidation.reconciliation import compare, periods, release
from liquidation.reconciliation.models import DifferenceStatus, ReconciliationDifference
from pricing.markets import Market


class Command(BaseCommand):
    """Compare a statement with the books, both ways, and print what is open. Exits with 1 if anything is."""

    help = "Compare a market's statement (CSV or JSON lines: requestId, units, proceeds, time) with the books."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose statement, the file, and the period that it states."""
        parser.add_argument("--market", required=True, choices=[market.value for market in Market])
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument(
            "--from", dest="start", type=instant_argument, metavar="INSTANT",
            help="it states every trade from then on (default: its first trade)",
        )  # fmt: skip
        parser.add_argument(
            "--to", dest="end", type=instant_argument, metavar="INSTANT", help="… to then (default: its last trade)"
        )
        parser.add_argument("--user", default=getpass.getuser(), help="who compares (default: %(default)s)")

    def handle(self, *args: Any, market: str, file: Path, user: str, **options: Any) -> None:
        """Safe to repeat: the same file again changes nothing. Raises CommandError."""
        try:
            content = file.read_bytes()
            found = compare.reconcile(
                market=Market(market), content=content, by=user, start=options["start"], end=options["end"]
            )
        except (OSError, DomainError) as error:
            raise CommandError(str(error)) from None
        self.stdout.write(
            f"{found.trades} trades, {figure(found.units, 'units')} for {figure(found.proceeds, 'GC')}, from"
            f" {instant(found.period_from)} to {instant(found.period_to)}."
        )
        for start, end in periods.gaps_beside((found.period_from, found.period_to), periods.covered(market)):
            self.stdout.write(f"No statement covers the time from {instant(start)} until {instant(end)}.")
        still_open = ReconciliationDifference.objects.filter(status=DifferenceStatus.OPEN).order_by("pk")
        for difference in still_open.select_related("loan"):
            self.stdout.write(_line(difference))
        if restore := holds.uncompared():
            first, last = map(instant, holds.statements_cover(restore))
            missing = " and ".join(market.label for market in release.uncovered(restore))
            self.stdout.write(
                f"Sales and events stay held since the {restore}. Statements must reach from {first} until {last},"
                f" compared since. {f'Those of {missing} do not yet' if missing else 'They do, and differ'}."
            )
        if still_open.exists():
            self.stderr.write("The books and the statements differ.")
            raise SystemExit(1)


def _line(difference: ReconciliationDifference) -> str:
    loan = f"loan {difference.loan}" if difference.loan else "no loan of ours"
    stated = f"{figure(difference.units, 'units')} for {figure(difference.proceeds, 'GC')}"
    return f"Difference {difference.pk}: {difference.market} {difference.request_id}, {loan}, {stated}. " + (
        difference.get_kind_display() + "."
    )
