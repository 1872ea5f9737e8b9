"""Run the OTC service: `python -m local.simulators.otc --api http://127.0.0.1:4000 --port 4103`."""

import argparse
import asyncio
import os

from local.simulators.lifecycle import run_until_stopped
from local.simulators.otc.server import EVENT_QUEUE, LOAN_EVENT_QUEUE, OtcOptions, OtcServer


def read_options(arguments: list[str] | None = None) -> OtcOptions:
    """Read the command line; exits with a usage message if it is not valid."""
    parser = argparse.ArgumentParser(prog="python -m local.simulators.otc", description=__doc__)
    parser.add_argument("--api", default="http://127.0.0.1:4000", help="the loan API (%(default)s)")
    parser.add_argument("--api-token", help="sent as Authorization: Token …")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument(
        "--sns-endpoint",
        default=os.environ.get("AWS_ENDPOINT_URL") or None,
        help="where to receive events; without one, and without AWS_ENDPOINT_URL, none are received",
    )
    parser.add_argument("--queue", default=EVENT_QUEUE, help="the queue for events (%(default)s)")
    parser.add_argument(
        "--loan-events-topic",
        default=os.environ.get("LOAN_EVENTS_TOPIC") or None,
        help="the topic of loan events; without one, and without LOAN_EVENTS_TOPIC, none are received",
    )
    parser.add_argument("--loan-queue", default=LOAN_EVENT_QUEUE, help="the queue for loan events (%(default)s)")
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--rate", type=float, default=3.0, help="applications per second (%(default)s)")
    parser.add_argument("--clients", type=int, default=400)
    parser.add_argument("--max-loans", type=int, help="stop applying after so many")
    parser.add_argument("--pace", type=float, default=1.0, help="multiplies every pause of a client")
    parser.add_argument("--run", help="what ids are made from; by default new with each start")
    given = vars(parser.parse_args(arguments))
    if given["run"] is None:
        del given["run"]
    return OtcOptions(**given)


async def serve(options: OtcOptions, stopped: asyncio.Event) -> None:
    """Run the OTC service until the event is set."""
    otc = OtcServer(options)
    await otc.start()
    await stopped.wait()
    await otc.stop()


if __name__ == "__main__":
    chosen = read_options()
    run_until_stopped(lambda stopped: serve(chosen, stopped))
