"""The worker's HTTP server: `/metrics`, `/-/healthy`, `/-/ready`.

A scrape never holds the event loop up: it is rendered in a thread of its own, scrapes that meet share one rendering,
and the body is handed to the socket in pieces. Binds the loopback address unless told otherwise (5-operating 5.8).

Never in this module: a figure, a default registry, a path that changes anything.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hmac import compare_digest
from typing import TYPE_CHECKING, Final, Protocol

from aiohttp import web

from stream.core.trouble import Trouble
from stream.telemetry.rendering import negotiated
from stream.wire.json import dumps

if TYPE_CHECKING:
    from collections.abc import Callable

    from stream.telemetry.rendering import Renderer, Rendering

LOOPBACK: Final = "127.0.0.1"
_PIECE_BYTES: Final = 256 * 1024
_SHUTDOWN_SECONDS: Final = 2.0
"""What open scrapes get to finish when the worker ends."""


class Health(Protocol):
    """How the worker is, at one moment."""

    @property
    def healthy(self) -> bool:
        """False = it stands still and only a restart helps."""

    @property
    def ready(self) -> bool:
        """True = it has joined the group and serves every shard assigned to it."""

    @property
    def detail(self) -> str:
        """One line for a person; no names of customers or contacts."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where the server listens, and who may read `/metrics`.

    Attributes:
        host: address to bind; the loopback one unless the user says otherwise.
        port: 0 = any free port, told by `Server.port`.
        token: bearer token asked for on `/metrics`; empty = none. Has no repr.
    """

    host: str = LOOPBACK
    port: int = 0
    token: str = ""

    def __repr__(self) -> str:
        """The address without the token."""
        return f"Address(host={self.host!r}, port={self.port})"


class Scrapes:
    """Renders off the loop; whoever asks while a rendering of the same format runs gets that one."""

    def __init__(self, render: Callable[[str], Rendering]) -> None:
        """Start no thread before the first scrape; `render` is called with an Accept header."""
        self._render = render
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="scrape")
        self._running: dict[str, asyncio.Future[Rendering]] = {}

    async def rendering(self, accept: str) -> Rendering:
        """One rendering for an Accept header; a caller that goes away leaves it to the others."""
        key = negotiated(accept)[1]
        running = self._running.get(key)
        if running is None:
            running = asyncio.get_running_loop().run_in_executor(self._thread, self._render, accept)
            self._running[key] = running
            running.add_done_callback(lambda _: self._running.pop(key, None))
        return await asyncio.shield(running)

    def close(self) -> None:
        """Start no rendering any more."""
        self._thread.shutdown(wait=False, cancel_futures=True)


class Server:
    """Serves one worker's metrics and health in the event loop that starts it."""

    def __init__(self, address: Address, renderer: Renderer, health: Callable[[], Health]) -> None:
        """Bind nothing yet.

        Args:
            address: where to listen.
            renderer: makes the bodies of `/metrics`; called in another thread, one call at a time.
            health: asked at every health request, in the event loop; must be quick.
        """
        self._address = address
        self._scrapes = Scrapes(renderer.render)
        self._health = health
        self._runner: web.AppRunner | None = None

    @property
    def port(self) -> int:
        """The port bound; 0 before `start` and after `stop`."""
        addresses = self._runner.addresses if self._runner else []
        return int(addresses[0][1]) if addresses else 0

    async def start(self) -> None:
        """Listen.

        Raises:
            Trouble: the address cannot be bound, for example because the port is in use.
        """
        app = web.Application()
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/-/healthy", self._healthy)
        app.router.add_get("/-/ready", self._ready)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, self._address.host, self._address.port).start()
        except OSError as error:
            await runner.cleanup()
            self._scrapes.close()
            raise Trouble(
                f"cannot listen on {self._address.host}:{self._address.port} for /metrics",
                error.strerror or str(error),
                "choose another with --web-port, or 0 for any free one",
            ) from error
        self._runner = runner

    async def stop(self) -> None:
        """Stop listening; safe to call twice, or without `start`."""
        self._scrapes.close()
        if self._runner is not None:
            runner, self._runner = self._runner, None
            await runner.cleanup()

    async def _metrics(self, request: web.Request) -> web.StreamResponse:
        """One scrape, in pieces."""
        if not self._allowed(request):
            return web.Response(status=401, text="a bearer token is needed\n", headers={"WWW-Authenticate": "Bearer"})
        rendering = await self._scrapes.rendering(request.headers.get("Accept", ""))
        response = web.StreamResponse(headers={"Content-Type": rendering.content_type})
        response.content_length = len(rendering.body)
        body = memoryview(rendering.body)
        with contextlib.suppress(ConnectionResetError):  # a scraper that gave up
            await response.prepare(request)
            for start in range(0, len(body), _PIECE_BYTES):
                await response.write(body[start : start + _PIECE_BYTES])
            await response.write_eof()
        return response

    def _allowed(self, request: web.Request) -> bool:
        """Whether the request carries the token, if one is asked for."""
        given = request.headers.get("Authorization", "")
        return not self._address.token or compare_digest(given.encode(), f"Bearer {self._address.token}".encode())

    async def _healthy(self, request: web.Request) -> web.Response:
        health = self._health()
        return _answer(request, "healthy", health.healthy, health.detail)

    async def _ready(self, request: web.Request) -> web.Response:
        health = self._health()
        return _answer(request, "ready", health.healthy and health.ready, health.detail)


def _answer(request: web.Request, word: str, good: object, detail: str) -> web.Response:
    """200 or 503 with the reason: JSON where the client asks for it, else text."""
    status = 200 if good else 503
    if "application/json" in request.headers.get("Accept", ""):
        body = dumps({word: bool(good), "detail": detail})
        return web.Response(status=status, body=body, content_type="application/json")
    return web.Response(status=status, text=f"{word if good else f'not {word}'}\n{detail}".strip() + "\n")
