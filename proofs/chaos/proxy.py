"""A wire between the service and SNS/SQS that can be cut, jammed or made to lie, in a thread of its own."""

import asyncio
import socket
import threading
from collections import Counter
from collections.abc import Coroutine
from enum import StrEnum
from typing import Any, TypeVar

import aiohttp
from aiohttp import web

from local.stack.ports import LOOPBACK, bound_socket

Result = TypeVar("Result")

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "host"})
_LARGEST_REQUEST = 4 * 1024 * 1024
_ORDER_SECONDS = 10


class Mode(StrEnum):
    """What becomes of a request."""

    PASS = "pass"
    """It is passed on, and its answer back."""
    REFUSE = "refuse"
    """Nobody listens; open connections are reset."""
    HANG = "hang"
    """It is taken and never answered, not even when the mode has changed: the packets are gone."""
    FAIL = "fail"
    """It is answered with 500 and not passed on."""
    FORGET = "forget"
    """It is passed on, and its connection reset before the answer."""


class Proxy:
    """An HTTP proxy for one endpoint. `set_mode` may be called from any thread and returns when the mode holds."""

    def __init__(self, endpoint: str) -> None:
        """Pass requests on to `endpoint`; nothing listens before `start`."""
        self.endpoint = endpoint
        self._bound: socket.socket | None = bound_socket()
        self.port: int = self._bound.getsockname()[1]
        self.counts: Counter[Mode] = Counter()
        self._mode = Mode.PASS
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="proxy", daemon=True)
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None
        self._site: web.BaseSite | None = None
        self._transports: set[asyncio.Transport] = set()

    @property
    def url(self) -> str:
        """Where the service finds it."""
        return f"http://{LOOPBACK}:{self.port}"

    @property
    def mode(self) -> Mode:
        """What becomes of a request now."""
        return self._mode

    def start(self) -> None:
        """Begin to pass requests on."""
        self._thread.start()
        self._order(self._open())

    def set_mode(self, mode: Mode) -> None:
        """Treat requests so from now on, those whose answer is still awaited included."""
        self._order(self._change(mode))

    def stop(self) -> None:
        """Reset what is open and end the thread. Harmless when repeated."""
        if self._thread.is_alive():
            self._order(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_ORDER_SECONDS)

    def _order(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(_ORDER_SECONDS)

    async def _open(self) -> None:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, force_close=True),
            auto_decompress=False,
            timeout=aiohttp.ClientTimeout(total=None),
        )
        app = web.Application(client_max_size=_LARGEST_REQUEST)
        app.router.add_route("*", "/{path:.*}", self._take)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0, handler_cancellation=True)
        await self._runner.setup()
        await self._listen()

    async def _listen(self) -> None:
        assert self._runner is not None
        if self._bound is not None:
            self._bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # its connections must not be in the way
            site: web.BaseSite = web.SockSite(self._runner, self._bound)
            self._bound = None
        else:
            site = web.TCPSite(self._runner, LOOPBACK, self.port, reuse_address=True)
        await site.start()
        self._site = site

    async def _change(self, mode: Mode) -> None:
        self._mode = mode
        if mode is Mode.REFUSE and self._site is not None:
            await self._site.stop()
            self._site = None
            self._reset()
        elif mode is not Mode.REFUSE and self._site is None:
            await self._listen()

    async def _close(self) -> None:
        self._reset()
        if self._runner is not None:
            await self._runner.cleanup()
        if self._session is not None:
            await self._session.close()

    def _reset(self) -> None:
        for transport in self._transports:
            transport.abort()
        self._transports.clear()

    async def _take(self, request: web.Request) -> web.StreamResponse:
        transport = request.transport
        if transport is not None:
            self._transports.add(transport)
        try:
            return await self._treat(request)
        finally:
            if transport is not None and transport.is_closing():
                self._transports.discard(transport)

    async def _treat(self, request: web.Request) -> web.StreamResponse:
        mode = self._mode
        self.counts[mode] += 1
        match mode:
            case Mode.FAIL:
                return web.Response(status=500, text="internal server error")
            case Mode.HANG:
                await asyncio.Event().wait()
            case Mode.REFUSE:
                return self._drop(request)
        answer = await self._pass_on(request)
        if self._mode is Mode.HANG:
            await asyncio.Event().wait()
        if answer is None or self._mode in (Mode.FORGET, Mode.REFUSE):
            return self._drop(request)
        return answer

    async def _pass_on(self, request: web.Request) -> web.Response | None:
        """The endpoint's answer; None if it gives none."""
        assert self._session is not None
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in _HOP_BY_HOP]
        headers.append(("Host", f"{LOOPBACK}:{self.port}"))
        try:
            async with self._session.request(
                request.method, f"{self.endpoint}{request.path_qs}", data=await request.read(), headers=headers
            ) as answer:
                body = await answer.read()
        except (aiohttp.ClientError, OSError):
            return None
        kept = [(name, value) for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP]
        return web.Response(status=answer.status, body=body, headers=kept)

    def _drop(self, request: web.Request) -> web.Response:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()
