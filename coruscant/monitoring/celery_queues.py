"""How many tasks wait in each Celery queue, as the broker counts them."""

from typing import Any

from django.conf import settings

from coruscant.celery import app

#: A scrape does not wait for a broker that is down.
_TIMEOUT_SECONDS = 1


def depths() -> dict[str, int]:
    """The tasks that no worker has taken yet, by queue. Raises what the broker raises."""
    options = {**settings.CELERY_BROKER_TRANSPORT_OPTIONS, "max_connections": 2, "socket_timeout": _TIMEOUT_SECONDS}
    with app.connection_for_read(transport_options=options, connect_timeout=_TIMEOUT_SECONDS) as broker:
        broker.ensure_connection(max_retries=1, timeout=_TIMEOUT_SECONDS)
        channel: Any = broker.default_channel  # the stubs do not know it
        return {queue.name: channel.queue_declare(queue=queue.name).message_count for queue in app.amqp.queues.values()}
