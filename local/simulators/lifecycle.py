"""What every simulator process does the same way: start, stop, answer with JSON."""

import asyncio
import logging
import signal
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from local.simulators.exact import write_json

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_CLEANUP_SECONDS = 0.3


def json_answer(body: Any, status: int = 200) -> web.Response:
    """Answer with JSON whose numbers are exact."""
    return web.Response(text=write_json(body), status=status, content_type="application/json")


@web.middleware
async def explain_bad_requests(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn a ValueError of a request under /simulator/ into a 400 that says what is wrong."""
    if not request.path.startswith("/simulator/"):
        return await handler(request)
    try:
        return await handler(request)
    except ValueError as error:
        return json_answer({"error": str(error)}, status=400)


async def listen(
    app: web.Application, host: str, port: int, *, largest_header: int = 8190
) -> tuple[web.AppRunner, int]:
    """Serve an application; return the runner to clean up later, and the port (a free one for port 0).

    A request with a header field of more than `largest_header` bytes never reaches the application.
    """
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLEANUP_SECONDS, max_field_size=largest_header)
    await runner.setup()
    await web.TCPSite(runner, host, port).start()
    return runner, int(runner.addresses[0][1])


def backoff_seconds(failures: int, longest: float = 5.0) -> float:
    """Return how long to wait after so many failures in a row: a quarter of a second, doubled each time."""
    return min(longest, 0.25 * 2.0 ** min(failures, 10))


def run_until_stopped(serve: Callable[[asyncio.Event], Awaitable[None]]) -> None:
    """Run a simulator until SIGTERM or SIGINT sets its event."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    for name in ("botocore", "boto3", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)

    async def main() -> None:
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stopped.set)
        await serve(stopped)

    asyncio.run(main())
