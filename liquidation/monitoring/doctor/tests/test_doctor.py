"""The doctor as a whole: it goes on whatever it finds, and says what to do."""

import json
from io import BytesIO

import pytest
from botocore.awsrequest import AWSResponse
from urllib3 import HTTPResponse

from coruscant import aws
from coruscant.outbox import topic_arn
from liquidation.monitoring import doctor
from liquidation.monitoring.doctor import Finding, messaging
from liquidation.monitoring.doctor.trouble import Trouble
from pricing.ingest.queue import queue_url


def fail():
    raise Trouble("It is broken.", "Mend it.")


def weak():
    raise Trouble("It is weak.", "Strengthen it.", only_with_real_money=True)


def impossible():
    raise ConnectionError("no\nanswer")


CHECKS = {"broken": fail, "weak": weak, "impossible": impossible, "fine": lambda: "all is well"}


def test_every_check_is_made_whatever_the_others_find():
    broken, weakness, failed, fine = doctor.examine(CHECKS)
    assert broken == Finding("broken", "It is broken.", "Mend it.")
    assert (weakness.accepted, weakness.is_trouble) == (True, False)
    assert failed.is_trouble
    assert failed.found == "could not be checked: ConnectionError: no answer"
    assert fine == Finding("fine", "all is well")


def test_with_real_money_a_weakness_is_trouble(settings):
    settings.DEMO = False
    assert [finding.name for finding in doctor.examine(CHECKS) if finding.is_trouble] == [
        "broken",
        "weak",
        "impossible",
    ]


#: What AWS answers a role that may not, on the wire.
DENIED = {
    "sns": "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code><Message>no</Message></Error>"
    "<RequestId>1</RequestId></ErrorResponse>",
    "sqs": json.dumps({"__type": "com.amazon.coral.service#AccessDeniedException", "message": "no"}),
}


@pytest.fixture
def denied():
    """SNS and SQS refuse everything."""
    clients = {"sns": aws.sns(), "sqs": aws.sqs()}
    for service, client in clients.items():

        def refuse(request, service=service, **_call):
            raw = HTTPResponse(BytesIO(DENIED[service].encode()), preload_content=False)
            return AWSResponse(request.url, 403, {}, raw)

        client.meta.events.register(f"before-send.{service}", refuse, unique_id="denied")
    topic_arn.cache_clear()
    queue_url.cache_clear()
    yield
    for service, client in clients.items():
        client.meta.events.unregister(f"before-send.{service}", unique_id="denied")


def test_what_its_credentials_do_not_allow_is_named(db, denied):
    checks = {"topics": messaging.topics_are_there, "queues": messaging.queues_are_there}
    topics, queues = doctor.examine(checks)
    assert topics.found == "not permitted: needs ListTopics, as in the policy `doctor`."
    assert queues.found == "not permitted: needs GetQueueUrl, as in the policy `doctor`."
    assert topics.is_trouble


def test_a_service_that_is_well_is_found_to_be(well):
    findings = list(doctor.examine())
    assert [finding.name for finding in findings] == list(doctor.CHECKS)
    assert [finding for finding in findings if finding.is_trouble] == []
    assert {finding.name for finding in findings if finding.accepted} <= {
        "settings", "Django's checks", "role", "cache", "broker"
    }  # fmt: skip
