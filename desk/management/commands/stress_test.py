"""`manage.py stress_test --drop 30`: what the book would be after a fall, or at a price."""

import json
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from coruscant.errors import DomainError
from coruscant.money import decimal_string
from desk.stress import report
from desk.stress.forms import QuestionForm
from desk.stress.selectors import stress_test


class Command(BaseCommand):
    help = "Say what the newest snapshot of the book would be after a fall of the best price, or at a price."

    def add_arguments(self, parser: CommandParser) -> None:
        asked = parser.add_mutually_exclusive_group(required=True)
        asked.add_argument("--drop", metavar="PERCENT", help="a fall of the best price")
        asked.add_argument("--price", metavar="GC", help="a price, GC a unit")
        parser.add_argument("--json", action="store_true", help="print JSON, with every figure in full")

    def handle(self, *args: Any, drop: str | None, price: str | None, **options: Any) -> None:
        question = QuestionForm({"price": price or "", "fall": drop or ""})
        if not question.is_valid():
            raise CommandError(" ".join(str(text) for texts in question.errors.values() for text in texts))
        try:
            found = stress_test(**question.cleaned_data)
        except DomainError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(report.as_json(found), indent=2, ensure_ascii=False))
            return
        for name, value in report.figures(found.asked).items():
            shown = decimal_string(value) if isinstance(value, Decimal) else value
            self.stdout.write(f"{name:18} {'not known' if shown is None else shown}")
