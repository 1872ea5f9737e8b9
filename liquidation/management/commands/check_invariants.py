"""`manage.py check_invariants`: checks the invariants against the database; exits with 1 if one is broken."""

from typing import Any

from django.core.management.base import BaseCommand

from liquidation import invariants


class Command(BaseCommand):
    help = "Check the invariants against the database."

    def handle(self, *args: Any, **options: Any) -> None:
        broken = 0
        for finding in invariants.check():
            mark = "ok  " if not finding.violations else "FAIL"
            self.stdout.write(
                f"{mark} {finding.invariant.name:22} {finding.violations:6}  {finding.invariant.promise}"
                + (f"  e.g. {', '.join(finding.examples)}" if finding.violations else "")
            )
            broken += bool(finding.violations)
        if broken:
            self.stderr.write(f"{broken} of the invariants are broken.")
            raise SystemExit(1)
