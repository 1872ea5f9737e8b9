"""Which process needs which secret: the one table that says so.

Tests compare `docker-compose.yml` and the chart with it. A process that needs fewer than all of NEEDED_BY_ALL names
itself by the setting PROCESS, and the settings then read no others. Of every other process all are required.

- SECRET_KEY seals what is in Redis, so whoever uses that has it.
- beat enqueues, and gives its sign of life in the cache. It has no database, so it waits for no migration.
- flower looks at the broker, and has a password of its own (docs/operations.md).
- migrate has the DATABASE_URL of the tables' owner. `setup` is what compose calls `migrate` and `provision` in one.
- log-ins makes the accounts of the demo, in compose only.
"""

from typing import Final

#: The name of a process that needs all of NEEDED_BY_ALL, and the default.
ANY: Final = "any"
#: Of the settings, those that are secret.
NEEDED_BY_ALL: Final = frozenset({"SECRET_KEY", "DATABASE_URL", "CACHE_URL", "CELERY_BROKER_URL"})
#: For what deploy/iam-policy.json allows. Read by the AWS library, and by nobody where the machine has a role.
AWS: Final = frozenset({"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"})

FEWER: Final = {
    "beat": frozenset({"SECRET_KEY", "CACHE_URL", "CELERY_BROKER_URL"}),
    "flower": frozenset({"SECRET_KEY", "CELERY_BROKER_URL"}),
    "migrate": frozenset({"DATABASE_URL"}),
    "provision": frozenset({"SECRET_KEY", "DATABASE_URL", "CACHE_URL"}) | AWS,
    "setup": frozenset({"SECRET_KEY", "DATABASE_URL", "CACHE_URL"}) | AWS,
    "log-ins": frozenset({"DATABASE_URL"}),
}
NEEDED: Final = FEWER | {
    "web": NEEDED_BY_ALL | AWS,
    "worker-prices": NEEDED_BY_ALL | AWS,
    "worker-risk": NEEDED_BY_ALL,
    "worker-replay": NEEDED_BY_ALL,
    "worker-sales": NEEDED_BY_ALL | AWS,
}


def withheld_from(process: str) -> frozenset[str]:
    """The secrets that a process does not read; none of any process that is not in FEWER."""
    return NEEDED_BY_ALL - FEWER.get(process, NEEDED_BY_ALL)
