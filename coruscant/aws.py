"""SNS and SQS clients: one of each a process, made after the fork, shared by its threads."""

import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError
from django.conf import settings

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient

#: The topic all branches of the bank subscribe to.
LIQUIDATION_TOPIC = "coruscant-bank-loan-liquidation-events"
#: Longest long poll that SQS knows.
MAX_WAIT_SECONDS = 20
#: Longest long poll that we make. While SQS hangs, a poller is blind for this long and READ_MARGIN_SECONDS more.
LONGEST_POLL_SECONDS = 10
READ_MARGIN_SECONDS = 5

#: What an SNS or SQS that refuses, hangs or answers nonsense raises. ResponseParserError is no subclass of the others:
#: it is raised when a load balancer answers in place of SNS.
FAILURES = (BotoCoreError, ClientError, ResponseParserError)

_CONFIG = Config(
    connect_timeout=3,
    # Above the longest long poll, or every quiet poll would end as a time-out.
    read_timeout=LONGEST_POLL_SECONDS + READ_MARGIN_SECONDS,
    # A lost answer hides its messages. The poller must notice, so the client itself repeats nothing.
    retries={"mode": "standard", "total_max_attempts": 1},
    max_pool_connections=50,
    tcp_keepalive=True,
)
# Publishing is not a long poll: it fails soon, and the outbox tries again. Workers that publish also sell, so each
# attempt while SNS hangs delays a sale by this time-out.
_PUBLISH_CONFIG = _CONFIG.merge(Config(connect_timeout=2, read_timeout=3))


def forgets() -> bool:
    """Whether SNS and SQS are an emulator that forgets its topics and queues, which are then made again unasked."""
    return settings.AWS_ENDPOINT_URL is not None and settings.PROVISION_AGAIN


def sqs() -> "SQSClient":
    """This process's SQS client."""
    return _client("sqs", _CONFIG, os.getpid())  # type: ignore[no-any-return]


def sns() -> "SNSClient":
    """This process's SNS client."""
    return _client("sns", _PUBLISH_CONFIG, os.getpid())  # type: ignore[no-any-return]


@lru_cache(maxsize=2)
def _client(service: str, config: Config, _pid: int) -> Any:
    session: Any = boto3.session.Session(**_credentials(), region_name=settings.AWS_REGION)
    return session.client(service, endpoint_url=settings.AWS_ENDPOINT_URL, config=config)


def _credentials() -> dict[str, Any]:
    """The keys of the settings, which may come from files; none leave the search to the AWS library."""
    if not settings.AWS_ACCESS_KEY_ID:
        return {}
    return {
        "aws_access_key_id": settings.AWS_ACCESS_KEY_ID,
        "aws_secret_access_key": settings.AWS_SECRET_ACCESS_KEY,
        "aws_session_token": os.environ.get("AWS_SESSION_TOKEN") or None,  # of keys that last for some hours
    }
