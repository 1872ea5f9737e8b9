"""PostgreSQL, Valkey and an SNS/SQS endpoint as child processes: no Docker, no root, only pip.

For demos, tests and benchmarks. The package imports nothing of the service, which talks to these servers
through the same URLs as to real PostgreSQL, Redis and AWS.
"""

from embedded.errors import EmbeddedStackError
from embedded.process import ChildProcess
from embedded.stack import EmbeddedStack

__all__ = ["ChildProcess", "EmbeddedStack", "EmbeddedStackError"]
