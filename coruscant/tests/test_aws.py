"""How long a call to SNS or SQS may hang."""

from datetime import timedelta

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
