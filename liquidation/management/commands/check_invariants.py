"""`manage.py check_invariants`: what the service promises, checked against the books."""

from typing import Any

from django.core.management.base import BaseCommand

from liquidation import invariants


class Command(BaseCommand):
    """Print every invariant with the number of rows that break it; exit 1 when any does."""

    help = "Check the books against the service's promises."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run all checks."""
        broken = 0
        for finding in invariants.check():
            mark = "ok  " if not finding.violations else "FAIL"
            self.stdout.write(
                f"{mark} {finding.invariant.name:22} {finding.violations:6}  {finding.invariant.promise}"
                + (f"  e.g. {', '.join(finding.examples)}" if finding.violations else "")
            )
            broken += bool(finding.violations)
        if broken:
            self.stderr.write(f"{broken} of the promises are broken.")
            raise SystemExit(1)
