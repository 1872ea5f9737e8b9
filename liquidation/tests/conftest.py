"""An SNS that does as a test says, and a database that was replaced."""

import pytest

from coruscant import aws, failpoints, outbox
from coruscant.aws import LIQUIDATION_TOPIC as LIQUIDATIONS
from coruscant.restores import identity
from coruscant.restores.models import DatabaseIdentity
from loans.events.tests.support import TOPIC


class FakeSNS:
    """Takes messages, unless a test has given it errors or refusals."""

    def __init__(self):
        self.messages, self.errors, self.refused, self.calls = [], [], set(), 0
        self.topics = ["other-topic", f"not-{LIQUIDATIONS}", LIQUIDATIONS, TOPIC]

    def list_topics(self, NextToken="0"):
        number = int(NextToken)
        page = {"Topics": [{"TopicArn": f"arn:aws:sns:us-east-1:000000000000:{name}"}
                           for name in self.topics[number : number + 1]]}  # fmt: skip
        return page | ({"NextToken": str(number + 1)} if number + 1 < len(self.topics) else {})

    def publish_batch(self, TopicArn, PublishBatchRequestEntries):
        if self.errors:
            raise self.errors.pop(0)
        assert TopicArn.rpartition(":")[2] in self.topics
        assert len(PublishBatchRequestEntries) <= 10
        taken = [entry for entry in PublishBatchRequestEntries if entry["Message"] not in self.refused]
        self.calls += 1
        answered = []
        for entry in taken:
            self.messages.append((TopicArn.rpartition(":")[2], entry["Message"]))
            answered.append({"Id": entry["Id"], "MessageId": f"m-{len(self.messages)}"})
        failed = [
            {"Id": entry["Id"], "Code": "InternalError", "SenderFault": False}
            for entry in PublishBatchRequestEntries
            if entry not in taken
        ]
        return {"Successful": answered, "Failed": failed}


@pytest.fixture
def sns(monkeypatch):
    fake = FakeSNS()
    monkeypatch.setattr(aws, "sns", lambda: fake)
    outbox.topic_arn.cache_clear()
    yield fake
    outbox.topic_arn.cache_clear()
    failpoints.arm(None)


@pytest.fixture
def asked_anew():
    identity.forget()
    yield
    identity.forget()


@pytest.fixture
def replace_database():
    """Let another database have been accepted: from now on this one is not."""

    def replace():
        identity.accept("before")
        DatabaseIdentity.objects.update(system_identifier=1)
        identity.forget()

    return replace
