"""PostgreSQL, Valkey and an SNS/SQS endpoint as child processes: no Docker, no root, only pip.

For the demo, tests, proofs and benchmarks. The package imports nothing of the service, which reaches these servers by
URL, as it does PostgreSQL, Redis and AWS in production.
"""

from local.stack.errors import EmbeddedStackError
from local.stack.process import ChildProcess
from local.stack.stack import EmbeddedStack

__all__ = ["ChildProcess", "EmbeddedStack", "EmbeddedStackError"]
