"""PostgreSQL, Valkey and an SNS/SQS endpoint as child processes: no Docker, no root, only pip.

For demos, tests and benchmarks. The package imports nothing of the service, which talks to these servers
through the same URLs as to real PostgreSQL, Redis and AWS.
"""

from local.stack.errors import EmbeddedStackError
from local.stack.process import ChildProcess
from local.stack.stack import EmbeddedStack

__all__ = ["ChildProcess", "EmbeddedStack", "EmbeddedStackError"]
