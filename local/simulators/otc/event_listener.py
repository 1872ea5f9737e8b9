"""Receives the events of a topic from a queue of its own, in a thread of its own."""

import logging
import threading
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from local.simulators.lifecycle import backoff_seconds
from local.simulators.messaging import sqs_client, subscribe_queue

log = logging.getLogger(__name__)

EVENT_TOPIC = "coruscant-bank-loan-liquidation-events"

_LONG_POLL_SECONDS = 5


class EventListener:
    """Subscribes a queue to a topic and hands on every delivery, byte for byte."""

    def __init__(self, endpoint: str, topic: str, queue: str, receive: Callable[[str], None]) -> None:
        """Get ready; nothing is contacted before `start`."""
        self._endpoint = endpoint
        self._topic = topic
        self._queue = queue
        self._receive = receive
        self._stopped = threading.Event()
        self.subscribed = threading.Event()

    def start(self) -> None:
        """Start the thread. It is a daemon: a long poll never holds up the end of the process."""
        threading.Thread(target=self._run, name=f"listen to {self._topic}", daemon=True).start()

    def stop(self) -> None:
        """Stop after the poll under way."""
        self._stopped.set()

    def _run(self) -> None:
        failures = 0
        while not self._stopped.is_set():
            try:
                url = subscribe_queue(self._endpoint, self._topic, self._queue)
                self.subscribed.set()
                failures = 0
                self._listen(url)
            except (BotoCoreError, ClientError, OSError) as error:
                # A queue that is gone is subscribed again: an emulator may have come back empty.
                pause = backoff_seconds(failures)
                failures += 1
                log.warning("%s: cannot receive events, trying again in %.2f s: %s", self._queue, pause, error)
                self._stopped.wait(pause)

    def _listen(self, url: str) -> None:
        sqs = sqs_client(self._endpoint)
        while not self._stopped.is_set():
            messages = sqs.receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=_LONG_POLL_SECONDS
            ).get("Messages", [])
            for message in messages:
                self._receive(message["Body"])
            if messages:
                sqs.delete_message_batch(
                    QueueUrl=url,
                    Entries=[
                        {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                        for number, message in enumerate(messages)
                    ],
                )
