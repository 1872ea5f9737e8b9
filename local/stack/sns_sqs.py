"""An SNS and SQS endpoint (ministack) in one light process.

Stopped in order and started again it still has its topics, queues and messages. Killed, it comes back empty,
which AWS never does: provision again after a kill.
"""

import http.client
import os
import shutil
import sys

from local.stack.process import ChildProcess
from local.stack.server import Server

REGION = "us-east-1"


class SnsSqsServer(Server):
    """Accepts any credentials."""

    name = "sns-sqs"
    region = REGION

    @property
    def endpoint_url(self) -> str:
        """URL for boto3's `endpoint_url`."""
        return f"http://{self.host}:{self.port}"

    def forget(self) -> None:
        """Remove saved topics and queues; their URLs hold a port that is only ours until the stack stops."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def kill(self) -> None:
        """End the server with SIGKILL; it will come back empty, not with what an earlier stop had saved."""
        super().kill()
        self.forget()

    def _prepare(self) -> ChildProcess:
        self.folder.mkdir(parents=True, exist_ok=True)
        environment = os.environ | {
            "BIND_HOST": self.host,
            "MINISTACK_HOST": self.host,
            "GATEWAY_PORT": str(self.port),
            "MINISTACK_REGION": self.region,
            "SERVICES": "sns,sqs",
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "PERSIST_STATE": "1",
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "TMPDIR": str(self.folder),
            "LOG_LEVEL": "WARNING",
            # It would look for, and remove, containers of its own making: let it find no Docker.
            "DOCKER_HOST": f"unix://{self.folder / 'no-docker.sock'}",
        }
        return ChildProcess(
            self.name,
            [sys.executable, "-m", "ministack"],
            log_path=self.log_path,
            environment=environment,
            folder=self.folder,
            grace_seconds=5,
        )

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=2)
        try:
            connection.request("GET", "/_ministack/health")
            return connection.getresponse().status == http.client.OK
        except http.client.HTTPException:
            return False
        finally:
            connection.close()
