"""`manage.py replay`: what a past interval would have been under other terms. Writes nothing."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.dateparse import parse_datetime

from coruscant import money
from coruscant.errors import DomainError
from desk.replay import service, words
from desk.replay.models import NAMES


def _instant(text: str) -> datetime:
    """An instant in ISO 8601; without an offset it is UTC."""
    found = parse_datetime(text)
    if found is None:
        raise ValueError(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


class Command(BaseCommand):
    help = "Replay the prices of a past interval against the book as it was, under other terms."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--from", dest="start", type=_instant, required=True, metavar="INSTANT", help="in UTC")
        parser.add_argument("--to", dest="end", type=_instant, required=True, metavar="INSTANT", help="in UTC")
        for name in NAMES:
            option = f"--{name.replace('_', '-')}"
            parser.add_argument(option, type=money.parse_amount, metavar="RATIO", help="a ratio, such as 0.75")
        parser.add_argument("--json", action="store_true", help="print all that a replay finds, as JSON")
        parser.add_argument("--same", action="store_true", help="fail if anything is not as it really was")

    def handle(self, *args: Any, start: datetime, end: datetime, **options: Any) -> None:
        named: dict[str, Decimal] = {name: options[name] for name in NAMES if options[name] is not None}
        try:
            result = service.replay(start, end, named)
        except DomainError as error:
            raise CommandError(str(error)) from None
        if options["json"]:
            self.stdout.write(json.dumps(result, indent=2))
            return
        self.stdout.write(f"{result['from']} to {result['to']}: {words.terms(named)}.")
        for sentence in words.sentences(result):
            self.stdout.write(sentence)
        if options["same"] and (differing := words.differing(result)):
            raise CommandError(f"Not as it really was: {differing}.")
