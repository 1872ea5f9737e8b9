"""The SNS envelope of a message, and what only looks like one."""

import json

import pytest

from pricing.feeds.envelope import unwrap
from pricing.feeds.event import Unreadable
from pricing.tests.builders import mos_espa_event


def test_an_envelope_is_taken_off():
    body = json.dumps(mos_espa_event())
    assert unwrap(body) == body
    assert unwrap(json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": body})) == body


def test_what_only_looks_like_an_envelope_is_left_alone():
    for event in ({"Type": "Other", "x": "Notification", "Message": "m"}, {"Type": "Notification", "Message": "m"}):
        body = json.dumps(event)
        assert unwrap(body) == body


def test_an_envelope_without_text_is_unreadable():
    with pytest.raises(Unreadable):
        unwrap(json.dumps({"Type": "Notification", "TopicArn": "arn", "Message": None}))
