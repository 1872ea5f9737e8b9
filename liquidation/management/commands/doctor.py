"""`manage.py doctor`: finds what keeps the service from working, and says what to do; exits with 1 if anything does."""

from typing import Any

from django.core.management.base import BaseCommand

from liquidation.monitoring import doctor


class Command(BaseCommand):
    """Changes nothing. Run it with the environment of the processes that it is to tell about."""

    help = "Examine settings, stores, queues, markets and processes, and say what to do about what is wrong."
    requires_system_checks = []

    def handle(self, *_args: Any, **_options: Any) -> None:
        troubles = 0
        for finding in doctor.examine():
            troubles += finding.is_trouble
            mark = "FAIL" if finding.is_trouble else "note" if finding.accepted else "ok  "
            self.stdout.write(f"{mark} {finding.name}: {finding.found}")
            if finding.remedy:
                self.stdout.write(f"     {finding.remedy}")
        if troubles:
            self.stderr.write(f"{troubles} things need somebody.")
            raise SystemExit(1)
