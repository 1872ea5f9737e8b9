"""`manage.py evidence LOAN_ID`: prints the evidence of a loan, the same bytes as the admin's button downloads."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from desk.evidence.document import evidence_of
from loans.selectors import LoanNotFound


class Command(BaseCommand):
    help = "Print everything the books hold about a loan, as JSON with its hash."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("loan_id", metavar="LOAN_ID", help="the loanId, as the OTC service gave it")

    def handle(self, *args: Any, loan_id: str, **options: Any) -> None:
        try:
            document = evidence_of(loan_id)
        except LoanNotFound as unknown:
            raise CommandError(str(unknown)) from None
        sys.stdout.buffer.write(document.body)  # bytes: the terminal's encoding must not change the hash
        sys.stdout.buffer.flush()
