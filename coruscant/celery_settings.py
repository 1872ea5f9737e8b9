"""How Celery works here, the same everywhere: queues, routes, acknowledgements, limits, the broker's connections.

A message says "look", the rows decide (docs/decisions/0002). The settings import all of it.
"""

import socket

from kombu import Queue

CELERY_TASK_IGNORE_RESULT = True
CELERY_RESULT_BACKEND = None
# Whoever can write to the broker can ask us to look, which is harmless, and must not be able to have us unpickle.
CELERY_ACCEPT_CONTENT = CELERY_RESULT_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = CELERY_EVENT_SERIALIZER = "json"
# Unknown queue names are mistakes, not new queues.
CELERY_TASK_CREATE_MISSING_QUEUES = False
CELERY_TASK_DEFAULT_QUEUE = "maintenance"
CELERY_TASK_QUEUES = [Queue(name) for name in ("prices", "risk", "liquidations", "events", "maintenance", "replay")]
CELERY_TASK_ROUTES = {
    "pricing.poll_prices": {"queue": "prices"},  # long polls: never in a pool with anything else
    "liquidation.evaluate_loans": {"queue": "risk"},
    "liquidation.sell": {"queue": "liquidations"},
    "liquidation.sell_backlog": {"queue": "liquidations"},
    "liquidation.publish": {"queue": "events"},
    "liquidation.publish_loan_events": {"queue": "events"},
    "liquidation.recover": {"queue": "maintenance"},
    "liquidation.check_invariants": {"queue": "maintenance"},
    "pricing.prune_quotes": {"queue": "maintenance"},
    "approvals.expire": {"queue": "maintenance"},
    "desk.take_snapshot": {"queue": "maintenance"},
    "desk.thin_snapshots": {"queue": "maintenance"},
    "desk.compute_price_at_risk": {"queue": "maintenance"},
    "desk.replay": {"queue": "replay"},  # minutes of work: never in a pool with evaluations
}
# A message is acknowledged after its task, and given back when the worker process dies under it: every task
# re-reads its row, so running twice is harmless and being lost is only a delay until recovery.
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
# Nothing is hoarded behind a task that waits on a market.
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# A task that hangs is ended: softly with time to unwind, then hard. Both lie below the visibility timeout.
CELERY_TASK_SOFT_TIME_LIMIT = 50
CELERY_TASK_TIME_LIMIT = 60
# Broker bounces end neither workers nor beat, at start or later; a lost connection cancels nothing that is running.
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
# Nor does a broker that answers with an error, as when its memory is full or somebody put a text in a queue's place.
CELERY_BROKER_CHANNEL_ERROR_RETRY = True
# A publisher does not wait long for a broker that is down: recovery enqueues again.
CELERY_TASK_PUBLISH_RETRY_POLICY = {"max_retries": 1, "interval_start": 0, "interval_step": 0.1, "interval_max": 0.1}
CELERY_BROKER_TRANSPORT_OPTIONS = {
    # Above the hard time limit and the longest countdown, or a running task would be handed out again.
    "visibility_timeout": 120,
    # So many of those that no worker has acknowledged are given back at once.
    "unacked_restore_limit": 1000,
    # No priorities: a queue is one key.
    "priority_steps": [0],
    # Dead peers are noticed: without these a worker waits for ever on a broker that was cut off.
    # A publisher that meets a broker which hangs waits this long, twice.
    "socket_timeout": 5,
    "socket_connect_timeout": 3,
    "socket_keepalive": True,
    # The kernel gives up a connection after 25 s without a sign of its peer, whether we wait for words or for the
    # acknowledgement of ours. What it cannot see, since a proxy answers for the peer, is left to coruscant/watchdog.py.
    "socket_keepalive_options": {
        getattr(socket, name): value
        for name, value in (
            ("TCP_KEEPIDLE", 10),
            ("TCP_KEEPINTVL", 5),
            ("TCP_KEEPCNT", 3),
            ("TCP_USER_TIMEOUT", 25_000),
        )
        if hasattr(socket, name)  # the last one is Linux's
    },
    "health_check_interval": 10,
    "retry_on_timeout": True,
    # kombu's default of 10 starves a pool of many threads of connections for their acknowledgements.
    "max_connections": 200,
}
# Celery would open a database connection for every task, which costs more than many a task. CONN_MAX_AGE decides
# instead (coruscant/celery.py).
CELERY_DB_REUSE_MAX = 1_000_000_000
# Flower needs events and heartbeats. Gossip and mingling are switched off on the command line (docs/operations.md).
CELERY_WORKER_SEND_TASK_EVENTS = True
CELERY_TASK_SEND_SENT_EVENT = True
CELERY_BEAT_SCHEDULER = "coruscant.watchdog:WatchedScheduler"
