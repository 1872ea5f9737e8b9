"""What a worker does with a task: as Celery would, with its retries, but by hand."""

from botocore.exceptions import BotoCoreError, ClientError
from django.db import OperationalError

from liquidation import evaluate, publish, recover, sell
from liquidation.publish import EventNotSent
from pricing.ingest import poll
from pricing.markets import Market
from proofs.simulation.actor import Killed
from proofs.simulation.broker import Task
from proofs.simulation.edges import Edges
from proofs.simulation.world import World

_MAX_RETRIES = 6


class Worker:
    """Runs tasks."""

    def __init__(self, world: World, edges: Edges) -> None:
        """Works in one world."""
        self.world, self.edges = world, edges

    def run(self, task: Task) -> None:
        """Run one task of a chain; if it succeeds, the rest of the chain is sent."""
        try:
            finished = self._call(*task.chain[0])
        except (OperationalError, EventNotSent) as error:
            self.world.log(f"{task} failed: {type(error).__name__}")
            finished = False
        except (ClientError, BotoCoreError) as error:
            self.world.log(f"{task} failed: {type(error).__name__}")
            return
        except Killed:
            # The message is given back when the worker is found dead, or only after the visibility timeout.
            if self.world.random.random() < 0.7:
                self.edges.broker.send(task, seconds=self.world.choice([0.0, 1.0, 120.0]))
            raise
        if finished and task.chain[1:]:
            self.edges.broker.send(Task(task.chain[1:]))
        elif not finished and task.retries < _MAX_RETRIES:
            self.edges.broker.send(Task(task.chain, task.retries + 1), seconds=2.0**task.retries)

    def _call(self, name: str, arguments: dict[str, int | str]) -> bool:
        """Whether the task came to its end."""
        match name:
            case "liquidation.sell":
                outcome = sell.sell(int(arguments["liquidation_id"]))
                self.world.log(f"→ {outcome}")
                return outcome is not sell.Outcome.LATER
            case "liquidation.publish":
                publish.publish(int(arguments["liquidation_id"]))
            case "liquidation.publish_loan_events":
                publish.publish_loan_events()
            case "liquidation.evaluate_loans":
                evaluate.evaluate_loans()
            case "liquidation.recover":
                recover.recover()
            case "pricing.poll_prices":
                poll.poll(Market(str(arguments["market"])), seconds=self.world.choice([0, 0, 0, 1, 2]), wait_seconds=1)
            case _:
                raise LookupError(name)
        return True
