"""A stand-in for an SNS client: keeps what is published, and fails on demand."""

import threading
from typing import Any

from botocore.exceptions import EndpointConnectionError


class StubTopic:
    """Takes the place of `sns_client` in a module under test."""

    def __init__(self) -> None:
        self.published: list[str] = []
        self.created: list[str] = []
        self.broken = threading.Event()

    def client(self, endpoint: str) -> "StubTopic":
        return self

    def create_topic(self, Name: str) -> dict[str, Any]:
        self._fail_if_broken()
        self.created.append(Name)
        return {"TopicArn": f"arn:{Name}"}

    def publish(self, TopicArn: str, Message: str) -> dict[str, Any]:
        self._fail_if_broken()
        self.published.append(Message)
        return {"MessageId": f"m{len(self.published)}"}

    def _fail_if_broken(self) -> None:
        if self.broken.is_set():
            raise EndpointConnectionError(endpoint_url="http://stub")
