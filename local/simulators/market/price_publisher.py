"""Publishes price events to the market's SNS topic from a thread of its own."""

import logging
import threading
from collections import deque
from concurrent.futures import Future
from dataclasses import dataclass, field

from botocore.exceptions import BotoCoreError, ClientError

from local.simulators.lifecycle import backoff_seconds
from local.simulators.messaging import sns_client

log = logging.getLogger(__name__)

_LONGEST_QUEUE = 20


@dataclass(frozen=True, slots=True)
class _Waiting:
    body: str
    done: Future[str | None] = field(default_factory=Future)


class PricePublisher:
    """Publishes events in the order they were offered.

    While the endpoint does not answer it tries again with growing pauses, and keeps only the newest event: old prices
    are of no use later.
    """

    def __init__(self, endpoint: str, topic: str) -> None:
        """Get ready; nothing is contacted before `start`."""
        self._endpoint = endpoint
        self._topic = topic
        self._waiting: deque[_Waiting] = deque()
        self._wake = threading.Condition()
        self._stopped = False
        self._progressed = False
        self.published = 0
        self.failures = 0

    def start(self) -> None:
        """Start the thread. It is a daemon: a call that hangs never holds up the end of the process."""
        threading.Thread(target=self._run, name=f"publish {self._topic}", daemon=True).start()

    def stop(self) -> None:
        """Stop after the call under way, and drop what waits."""
        with self._wake:
            self._stopped = True
            self._drop_all_but(0)
            self._wake.notify()

    def offer(self, body: str) -> Future[str | None]:
        """Queue an event for publishing; the future gets its MessageId, or None if it was dropped."""
        offered = _Waiting(body)
        with self._wake:
            self._waiting.append(offered)
            self._drop_all_but(0 if self._stopped else _LONGEST_QUEUE)
            self._wake.notify()
        return offered.done

    def _drop_all_but(self, newest: int) -> None:
        while len(self._waiting) > newest:
            self._waiting.popleft().done.set_result(None)

    def _run(self) -> None:
        failures_in_a_row = 0
        while not self._stopped:
            try:
                self._publish_while_it_works()
            except (BotoCoreError, ClientError, OSError) as error:
                self.failures += 1
                pause = backoff_seconds(failures_in_a_row)
                failures_in_a_row = failures_in_a_row + 1 if not self._progressed else 1
                log.warning("%s: not published, trying again in %.2f s: %s", self._topic, pause, error)
                with self._wake:
                    self._wake.wait_for(lambda: self._stopped, timeout=pause)
                    self._drop_all_but(1)

    def _publish_while_it_works(self) -> None:
        self._progressed = False
        sns = sns_client(self._endpoint)
        arn = sns.create_topic(Name=self._topic)["TopicArn"]
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._stopped or bool(self._waiting))
                if self._stopped:
                    return
                event = self._waiting[0]
            message_id = sns.publish(TopicArn=arn, Message=event.body)["MessageId"]
            self._progressed = True
            with self._wake:
                self.published += 1
                # It may have been dropped for newer ones while it was on its way.
                if self._waiting and self._waiting[0] is event:
                    self._waiting.popleft()
                if not event.done.done():
                    event.done.set_result(message_id)
