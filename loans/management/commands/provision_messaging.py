"""`manage.py provision_messaging`: topics, queues and subscriptions, once per deploy, safe to repeat."""

from itertools import chain
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from django.core.management.base import BaseCommand, CommandError

from loans.events import topic
from pricing.ingest import provision


class Command(BaseCommand):
    help = "Make the topics, queues, dead-letter queues and subscriptions, or bring them up to date."

    def handle(self, *_args: Any, **_options: Any) -> None:
        try:
            for line in chain(provision.provision(), topic.provision()):
                self.stdout.write(line)
        except (BotoCoreError, ClientError) as error:
            raise CommandError(f"messaging could not be provisioned: {error}") from error
