"""`manage.py provision_messaging`: topics, queues and subscriptions, once per deploy, safe to repeat."""

from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from loans.events import topic
from pricing.ingest import provision


class Command(BaseCommand):
    help = "Make the topics, queues, dead-letter queues and subscriptions, or bring them up to date."

    def add_arguments(self, parser: CommandParser) -> None:
        change = parser.add_mutually_exclusive_group()
        change.add_argument(
            "--end-loan-events", action="store_true", help="write no more of them, since LOAN_EVENTS_TOPIC is empty"
        )
        change.add_argument(
            "--rename-loan-events", action="store_true", help="send them to another topic, that of LOAN_EVENTS_TOPIC"
        )

    def handle(self, *_args: Any, end_loan_events: bool, rename_loan_events: bool, **_options: Any) -> None:
        if end_loan_events and settings.LOAN_EVENTS_TOPIC:
            raise CommandError(f"LOAN_EVENTS_TOPIC is {settings.LOAN_EVENTS_TOPIC}: to end loan events, empty it first")
        if rename_loan_events and not settings.LOAN_EVENTS_TOPIC:
            raise CommandError("LOAN_EVENTS_TOPIC is empty: to rename the topic of loan events, set it first")
        loan_events = topic.provision(end=end_loan_events, rename=rename_loan_events)
        try:
            for line in chain(provision.provision(), loan_events):
                self.stdout.write(line)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"messaging could not be provisioned: {error}") from error
