"""SNS and SQS as boto3 shows them: refusals, lost answers, doubled, hidden and reordered messages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError, ReadTimeoutError

from coruscant.aws import LIQUIDATION_TOPIC
from proofs.simulation.actor import Actor, current_actor
from proofs.simulation.world import World

#: Named for every schedule (proofs/simulation/database.py).
LOAN_EVENTS_TOPIC = "simulated-loan-events"
_UNIX = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Message:
    """A message in a queue; `visible_at` moves when it is handed out."""

    message_id: str
    body: str
    sent_at: datetime
    visible_at: datetime
    deleted: bool = False
    recorded: bool = False


class QueueDoesNotExist(Exception):
    """What the client raises for an unknown queue; never, here."""


class _Exceptions:
    QueueDoesNotExist = QueueDoesNotExist


class Queues:
    """SQS: one list of messages a queue."""

    exceptions = _Exceptions

    def __init__(self, world: World) -> None:
        """No messages."""
        self.world = world
        self.messages: dict[str, list[Message]] = {}
        self._count = 0
        #: What each poll has received and not yet recorded, and from where.
        self._received: dict[int, tuple[str, list[Message]]] = {}

    def put(self, queue: str, body: str) -> Message:
        """A message arrives in a queue, now to the millisecond."""
        self._count += 1
        now = self.world.time
        sent_at = now.replace(microsecond=now.microsecond // 1000 * 1000)
        message = Message(f"message-{self._count}", body, sent_at, now)
        self.messages.setdefault(queue, []).append(message)
        return message

    def take_all(self, queue: str) -> list[dict[str, Any]]:
        """Every message of a queue as boto3 shows it, deleted at once."""
        messages = [message for message in self.messages.get(queue, []) if not message.deleted]
        for message in messages:
            message.deleted = message.recorded = True
        return [_as_boto3(message) for message in messages]

    def recorded_by(self, actor: Actor) -> str | None:
        """An actor has committed what it received last; returns the queue."""
        queue, messages = self._received.pop(actor.number, (None, []))
        for message in messages:
            message.recorded = True
        return queue

    def unrecorded_before(self, queue: str, instant: datetime) -> list[Message]:
        """Messages sent before an instant that nobody has recorded."""
        return [one for one in self.messages.get(queue, []) if not one.recorded and one.sent_at < instant]

    def forget(self) -> None:
        """The books went back: whether what came before is recorded is no longer asked."""
        for messages in self.messages.values():
            for message in messages:
                message.recorded = True

    def left(self) -> int:
        """How many messages are in the queues, hidden ones too."""
        return sum(not message.deleted for messages in self.messages.values() for message in messages)

    # --- boto3 ---

    def get_queue_url(self, *, QueueName: str) -> dict[str, str]:  # noqa: N803
        """The name is its URL."""
        return {"QueueUrl": QueueName}

    def receive_message(
        self,
        *,
        QueueUrl: str,  # noqa: N803
        MaxNumberOfMessages: int,  # noqa: N803
        WaitTimeSeconds: int,  # noqa: N803
        VisibilityTimeout: int,  # noqa: N803
        MessageSystemAttributeNames: Sequence[str],  # noqa: N803
    ) -> dict[str, Any]:
        """A long poll: up to as many messages as asked for, at once if there are any."""
        world, actor = self.world, _actor()
        actor.reach("sqs.receiving")
        if world.happens("sqs.receive_refused"):
            raise _refusal("ReceiveMessage")
        if not (visible := self._visible(QueueUrl)):
            actor.sleep(WaitTimeSeconds)
            visible = self._visible(QueueUrl)
        if world.happens("sqs.out_of_order"):
            world.random.shuffle(visible)
        taken = visible[: 1 if world.happens("sqs.few") else MaxNumberOfMessages]
        for message in taken:
            message.visible_at = world.time + timedelta(seconds=VisibilityTimeout)
        lost = world.happens("sqs.receive_lost")
        # A long poll begins anew; short ones gather more before all of it is recorded.
        _queue, gathered = self._received.get(actor.number, (QueueUrl, [])) if WaitTimeSeconds == 0 else (QueueUrl, [])
        self._received[actor.number] = QueueUrl, gathered if lost else [*gathered, *taken]
        actor.reach(f"sqs.handed_out {len(taken)}")
        if lost:
            raise ReadTimeoutError(endpoint_url="simulated", error="the answer was lost")
        return {"Messages": [_as_boto3(message) for message in taken]} if taken else {}

    def delete_message_batch(self, *, QueueUrl: str, Entries: Sequence[Mapping[str, str]]) -> dict[str, Any]:  # noqa: N803
        """Delete messages; some may not be, and a deleted one may come again."""
        _actor().reach("sqs.deleting")
        if self.world.happens("sqs.receive_refused"):
            raise _refusal("DeleteMessageBatch")
        failed = []
        for entry in Entries:
            message = next(one for one in self.messages[QueueUrl] if one.message_id == entry["ReceiptHandle"])
            if self.world.happens("sqs.not_deleted"):
                failed.append({"Id": entry["Id"]})
            elif self.world.happens("sqs.again"):
                message.visible_at = self.world.time + timedelta(seconds=self.world.seconds(0, 70))
            else:
                message.deleted = True
        return {"Failed": failed}

    def _visible(self, queue: str) -> list[Message]:
        now = self.world.time
        return [one for one in self.messages.get(queue, []) if not one.deleted and one.visible_at <= now]


class Topics:
    """SNS: every delivery is kept."""

    def __init__(self, world: World) -> None:
        """Nothing delivered."""
        self.world = world
        #: Of the topic of liquidation events, and of that of loan events.
        self.delivered: list[str] = []
        self.loan_events: list[str] = []

    def list_topics(self) -> dict[str, list[dict[str, str]]]:
        """The bank's two topics."""
        return {"Topics": [{"TopicArn": f"simulated:{topic}"} for topic in (LIQUIDATION_TOPIC, LOAN_EVENTS_TOPIC)]}

    def publish_batch(
        self,
        *,
        TopicArn: str,  # noqa: N803
        PublishBatchRequestEntries: Sequence[Mapping[str, str]],  # noqa: N803
    ) -> dict[str, Any]:
        """Deliver to all branches, or not, or some of them; and say so, or not."""
        actor = _actor()
        actor.reach(f"sns.called {TopicArn.rpartition(':')[2][:9]}")
        if self.world.happens("sns.refuses"):
            raise _refusal("PublishBatch")
        delivered = self.loan_events if TopicArn.endswith(f":{LOAN_EVENTS_TOPIC}") else self.delivered
        taken: list[dict[str, str]] = []
        failed: list[dict[str, str]] = []
        for entry in PublishBatchRequestEntries:
            if len(PublishBatchRequestEntries) > 1 and self.world.happens("sns.refuses_one"):
                failed.append({"Id": entry["Id"], "Code": "InternalError"})
                continue
            delivered.append(entry["Message"])
            taken.append({"Id": entry["Id"], "MessageId": f"sns-{len(delivered)}"})
        self.world.log(f"SNS delivers {len(taken)}")
        lost = self.world.happens("sns.answer_lost")
        actor.reach("sns.delivered")
        if lost:
            raise ReadTimeoutError(endpoint_url="simulated", error="the answer was lost")
        return {"Successful": taken, "Failed": failed}


def _actor() -> Actor:
    actor = current_actor()
    if actor is None:
        raise RuntimeError("only actors call SNS and SQS")
    return actor


def _refusal(operation: str) -> ClientError:
    return ClientError({"Error": {"Code": "ServiceUnavailable", "Message": "try again"}}, operation)


def _as_boto3(message: Message) -> dict[str, Any]:
    milliseconds = (message.sent_at - _UNIX) // timedelta(milliseconds=1)
    return {
        "MessageId": message.message_id,
        "ReceiptHandle": message.message_id,
        "Body": message.body,
        "Attributes": {"SentTimestamp": str(milliseconds)},
    }
