"""Faults of SNS and SQS, as the service meets them."""

import time
from typing import ClassVar

from local.demo.errors import DemoError
from local.demo.settings import LOAN_EVENTS_TOPIC
from local.simulators.messaging import sqs_client, subscribe_queue
from local.simulators.otc.event_listener import EVENT_TOPIC
from local.simulators.otc.server import EVENT_QUEUE, LOAN_EVENT_QUEUE
from proofs.chaos.faults.fault import Fault
from proofs.chaos.proxy import Mode

MESSAGING = "messaging"
HEARD_WITHIN_SECONDS = 10
#: Longer than a fault of the database lasts.
PROVISIONED_WITHIN_SECONDS = 60


class _OnTheWire(Fault):
    """The wire to SNS and SQS is in a mode for a while."""

    touches = frozenset({MESSAGING})
    lasts_seconds = 10
    events_within_seconds = 30
    seen_as = "event_not_sent|prices_not_received"
    mode: ClassVar[Mode]

    def inject(self) -> None:
        """Change the mode."""
        self.target.proxy.set_mode(self.mode)

    def heal(self) -> None:
        """Let everything pass again."""
        self.target.proxy.set_mode(Mode.PASS)


class AwsRefuses(_OnTheWire):
    """Nobody listens."""

    name = "aws-refuses"
    alerts_if_left = frozenset({"EventsUnsent", "LoanEventsUnsent", "FeedBehind"})
    what = "SNS and SQS refuse connections"
    mode = Mode.REFUSE


class AwsHangs(_OnTheWire):
    """Requests are never answered, those of the last moment included; longer than a publisher's patience."""

    name = "aws-hangs"
    what = "SNS and SQS take requests and never answer"
    mode = Mode.HANG
    lasts_seconds = 15


class AwsFails(_OnTheWire):
    """Every request gets 500."""

    name = "aws-fails"
    what = "SNS and SQS answer 500"
    mode = Mode.FAIL


class AwsForgets(_OnTheWire):
    """SNS and SQS do what they are asked, and their answers are lost: messages received, events taken.

    A message that was received ten times becomes a dead letter. Somebody deletes those afterwards.
    """

    name = "aws-answers-lost"
    alerts_if_left = frozenset({"DeadLetters"})
    #: Ten times as long as a message that was received stays out of sight, and more.
    alarmed_within_seconds = 900.0
    what = "SNS and SQS do their work and their answers are lost"
    mode = Mode.FORGET

    def heal(self) -> None:
        """Let everything pass again, and delete the dead letters."""
        super().heal()
        sqs = sqs_client(self.demo.stack.sns_sqs.endpoint_url)
        for url in sqs.list_queues().get("QueueUrls", []):
            if url.endswith("-dead-letters"):
                sqs.purge_queue(QueueUrl=url)


class EmulatorEmptied(Fault):
    """The emulator's disk is gone: topics, queues, subscriptions and messages vanish, and are provisioned again later.

    Real SNS has delivered what it has accepted; the emulator would take accepted events to its grave. So the wire is
    cut first, and the OTC service hears what was accepted before the emulator dies. The service then talks to an
    empty SNS and SQS for a while. Before they are provisioned, the wire is cut once more, until the OTC service's
    queue is subscribed: AWS loses no subscription. Nothing else is made easier, and no event may be missing.
    """

    name = "emulator-emptied"
    what = "SNS and SQS lose all topics, queues and messages; provisioned again after a while"
    touches = frozenset({MESSAGING, "otc"})
    seen_as = r"queue_missing"
    alerts = frozenset({"MessagingMissing"})
    lasts_seconds = 6
    events_within_seconds = 30

    def inject(self) -> None:
        """Empty it, and let the service talk to what is left."""
        self.target.proxy.set_mode(Mode.REFUSE)
        self._wait_until_heard()
        self.demo.supervisor.kept["otc"].process.pause()
        emulator = self.demo.stack.sns_sqs
        self.demo.hold_down(emulator)
        emulator.kill()
        self.demo.let_go(emulator)
        self.target.proxy.set_mode(Mode.PASS)

    def heal(self) -> None:
        """Make topics, queues and subscriptions again."""
        self.target.proxy.set_mode(Mode.REFUSE)
        self.demo.supervisor.kept["otc"].process.resume()
        for topic, queue in ((EVENT_TOPIC, EVENT_QUEUE), (LOAN_EVENTS_TOPIC, LOAN_EVENT_QUEUE)):
            subscribe_queue(self.demo.stack.sns_sqs.endpoint_url, topic, queue)
        self._provision()
        self.target.proxy.set_mode(Mode.PASS)

    def _provision(self) -> None:
        """Provision; the database, which holds the topic of loan events, may be down at the same time."""
        deadline = time.monotonic() + PROVISIONED_WITHIN_SECONDS
        while True:
            try:
                return self.demo.manage("provision_messaging")
            except DemoError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)

    def _wait_until_heard(self) -> None:
        sqs = sqs_client(self.demo.stack.sns_sqs.endpoint_url)
        urls = [sqs.get_queue_url(QueueName=queue)["QueueUrl"] for queue in (EVENT_QUEUE, LOAN_EVENT_QUEUE)]
        deadline = time.monotonic() + HEARD_WITHIN_SECONDS
        while time.monotonic() < deadline:
            left = 0
            for url in urls:
                counts = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
                left += int(counts["ApproximateNumberOfMessages"]) + int(
                    counts["ApproximateNumberOfMessagesNotVisible"]
                )
            if not left:
                return
            time.sleep(0.1)
        self.target.say("the OTC service did not hear in time what SNS had accepted: the emulator takes it along")
