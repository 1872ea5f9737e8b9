"""Redis as the service uses it: a queue of tasks that may be lost, doubled, late or out of order, and a cache."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from redis.exceptions import ConnectionError as RedisDown

from proofs.simulation.actor import current_actor
from proofs.simulation.world import World


@dataclass(frozen=True, slots=True)
class Task:
    """A message in the broker: a chain of tasks by name, with the arguments of each, and how often it was retried."""

    chain: tuple[tuple[str, dict[str, Any]], ...]
    retries: int = 0

    def __str__(self) -> str:
        """How the trace calls it."""
        name, arguments = self.chain[0]
        return " ".join([name.rpartition(".")[2], *(str(value) for value in arguments.values())])


class Broker:
    """The queues of tasks."""

    def __init__(self, world: World) -> None:
        """No task yet."""
        self.world = world
        self.queue: list[tuple[datetime, Task]] = []

    def now(self, task: Any, **arguments: Any) -> bool:
        """What stands in for `enqueue.now`."""
        actor = current_actor()
        tasks: Sequence[Any] = getattr(task, "tasks", None) or [task]
        sent = Task(tuple((str(one.task), {**one.kwargs, **arguments}) for one in tasks))
        if actor is not None:
            actor.reach(f"enqueue.about_to_send {sent}")
        if self.world.happens("broker.down"):
            return False
        if self.world.faults.calm and sent.chain[0][0] == "liquidation.evaluate_loans":
            return True  # its turn comes anyway, and each costs as much as a sale
        self.send(sent)
        if actor is not None:
            actor.reach("enqueue.sent")
        return True

    def send(self, task: Task, *, seconds: float = 0.0) -> None:
        """Queue a task, with whatever may happen to it on its way."""
        if self.world.happens("task.lost"):
            return
        for _copy in range(2 if self.world.happens("task.doubled") else 1):
            late = self.world.seconds(1, 40) if self.world.happens("task.late") else 0.0
            self.queue.append((self.world.time + timedelta(seconds=seconds + late), task))

    def due(self) -> list[int]:
        """Where in the queue the tasks are that a worker may take now."""
        return [index for index, (at, _task) in enumerate(self.queue) if at <= self.world.time]

    def take(self) -> Task | None:
        """The next task for a worker."""
        due = self.due()
        if not due:
            return None
        return self.queue.pop(self.world.choice(due) if self.world.happens("task.out_of_order") else due[0])[1]

    @property
    def next_due_at(self) -> datetime | None:
        """When the next task can be taken."""
        return min((at for at, _task in self.queue), default=None)


class Cache:
    """The cache: it may be down at any look, and empty at the next."""

    def __init__(self, world: World) -> None:
        """Empty."""
        self.world = world
        self.found: dict[str, tuple[Any, datetime | None]] = {}

    def get(self, key: str, default: Any = None) -> Any:
        """A value, or the default."""
        self._may_be_down()
        found = self._found(key)
        return default if found is None else found

    def get_many(self, keys: Iterable[str]) -> dict[str, Any]:
        """Those values that there are."""
        self._may_be_down()
        return {key: value for key in keys if (value := self._found(key)) is not None}

    def set(self, key: str, value: Any, timeout: float | None = None) -> None:
        """Keep a value."""
        self._may_be_down()
        self.found[key] = value, None if timeout is None else self.world.time + timedelta(seconds=timeout)

    def add(self, key: str, value: Any, timeout: float | None = None) -> bool:
        """Keep a value unless there is one."""
        if self.get(key) is not None:
            return False
        self.set(key, value, timeout)
        return True

    def delete(self, key: str) -> bool:
        """Forget a value."""
        self._may_be_down()
        return self.found.pop(key, None) is not None

    def _found(self, key: str) -> Any:
        value, until = self.found.get(key, (None, None))
        return value if until is None or until > self.world.time else None

    def _may_be_down(self) -> None:
        if self.world.happens("cache.down"):
            raise RedisDown("the cache is down")


def empty_redis(broker: Broker, cache: Cache) -> Callable[[], None]:
    """The event of Redis losing all it has."""

    def event() -> None:
        broker.world.log(f"Redis is emptied of {len(broker.queue)} tasks")
        broker.queue.clear()
        cache.found.clear()

    return event
