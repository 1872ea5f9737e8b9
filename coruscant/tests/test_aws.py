"""How long a call to SNS or SQS may hang, and with whose credentials it is made."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from coruscant import aws
from coruscant.outbox import ON_ITS_WAY
from pricing.ingest.poll import WAIT_SECONDS


def test_a_quiet_long_poll_is_no_timeout_and_a_hanging_one_soon_is():
    timeout = aws.sqs().meta.config.read_timeout
    assert WAIT_SECONDS <= aws.LONGEST_POLL_SECONDS < timeout <= 15


def test_a_publisher_has_given_up_before_anybody_else_may_try_the_event():
    """Looking the topic up and publishing: both may hang, at connecting or at reading."""
    config = aws.sns().meta.config
    assert 2 * timedelta(seconds=config.connect_timeout + config.read_timeout) < ON_ITS_WAY


def test_an_event_that_met_a_hanging_sns_is_tried_again_within_the_promised_half_minute():
    from django.conf import settings

    from coruscant.backoff import LONGEST_DELAY_SECONDS

    config = aws.sns().meta.config
    slowest_try = config.connect_timeout + config.read_timeout
    assert slowest_try + LONGEST_DELAY_SECONDS + settings.RECOVERY_PERIOD_SECONDS < 30


@pytest.fixture
def signed(settings, monkeypatch):
    """Who a call is signed by, with these settings and this environment."""

    def sign(access_key_id="", **environment):
        settings.AWS_ACCESS_KEY_ID = access_key_id
        settings.AWS_SECRET_ACCESS_KEY = access_key_id and "hush"
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
            monkeypatch.setenv(name, environment.get(name, ""))
        client = aws._client.__wrapped__("sqs", aws._CONFIG, 0)
        query = parse_qs(urlsplit(client.generate_presigned_url("list_queues")).query)
        return query["X-Amz-Credential"][0].split("/")[0], query.get("X-Amz-Security-Token")

    return sign


def test_calls_are_signed_with_the_credentials_of_the_settings(signed):
    other = {"AWS_ACCESS_KEY_ID": "OTHER", "AWS_SECRET_ACCESS_KEY": "other"}
    assert signed("AKIA") == signed("AKIA", **other) == ("AKIA", None)
    assert signed("ASIA", AWS_SESSION_TOKEN="for an hour") == ("ASIA", ["for an hour"])


def test_without_them_the_aws_library_finds_its_own(signed):
    environment = {"AWS_ACCESS_KEY_ID": "FOUND", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_SESSION_TOKEN": "token"}
    assert signed(**environment) == ("FOUND", ["token"])
