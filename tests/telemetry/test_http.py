"""The HTTP server over real sockets on the loopback address."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, NamedTuple

import pytest
from aiohttp import ClientSession

from stream.core.trouble import Trouble
from stream.telemetry.collector import ShardCollector
from stream.telemetry.figures import PlainShard
from stream.telemetry.http import Address, Scrapes, Server
from stream.telemetry.known import Declared, known_by_stage
from stream.telemetry.process import ProcessMetrics
from stream.telemetry.rendering import Renderer, Rendering
from stream.telemetry.service import Telemetry, TelemetrySettings

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
VISITS = ("contact_visits_entered_total", "voice", "billing")


class State(NamedTuple):
    """How a worker is."""

    healthy: bool = True
    ready: bool = True
    detail: str = ""


@asynccontextmanager
async def _serving(address: Address, state: State = State()) -> AsyncIterator[str]:  # noqa: B008  a frozen value
    """A server over one shard; its address."""
    shards = [PlainShard(1, 0, {VISITS: (3, 0)})]
    server = Server(address, Renderer(ShardCollector(lambda: shards, lambda: 0), ProcessMetrics()), lambda: state)
    await server.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        await server.stop()


async def test_a_scrape_is_text_or_openmetrics_as_asked() -> None:
    """The client library chooses by the Accept header; a header without sense gets the text format."""
    async with _serving(Address()) as url, ClientSession() as client:
        for accept, kind, end in (
            (OPENMETRICS, "application/openmetrics-text; version=1.0.0", "# EOF\n"),
            ("text/plain;version=0.0.4", "text/plain; version=0.0.4", "\n"),
            ("text/plain;version=nonsense", "text/plain; version=0.0.4", "\n"),
            ("application/openmetrics-text;version=1.0.0;escaping=dots", "application/openmetrics-text", "# EOF\n"),
        ):
            async with client.get(f"{url}/metrics", headers={"Accept": accept}) as answer:
                body = await answer.text()
                assert answer.status == 200
                assert answer.headers["Content-Type"].startswith(kind)
                assert body.endswith(end)
                if "dots" not in accept:
                    assert 'contact_visits_entered_total{channel="voice",partition="0",queue="billing"} 3.0' in body


async def test_scrapes_that_meet_share_one_rendering() -> None:
    """Five callers during one rendering cost one; the next caller gets a new one."""
    go, calls = threading.Event(), []

    def render(accept: str) -> Rendering:
        calls.append(accept)
        go.wait(5)
        return Rendering(str(len(calls)).encode(), "text/plain")

    scrapes = Scrapes(render)
    waiting = [asyncio.create_task(scrapes.rendering("")) for _ in range(5)]
    await asyncio.sleep(0.05)
    waiting[0].cancel()
    go.set()
    assert [(await task).body for task in waiting[1:]] == [b"1"] * 4
    assert (await scrapes.rendering("")).body == b"2"
    scrapes.close()


async def test_a_failed_rendering_fails_its_scrape_only() -> None:
    """A defect in one figure is an error 500, not the end of the server."""
    shards = [PlainShard(1, 0, {("contact_made_up_total",): (1, 0)})]
    server = Server(Address(), Renderer(ShardCollector(lambda: shards, lambda: 0), ProcessMetrics()), State)
    await server.start()
    async with ClientSession() as client:
        async with client.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
            assert answer.status == 500
        shards.clear()
        async with client.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
            assert answer.status == 200
    await server.stop()


async def test_health_says_why() -> None:
    """200 or 503, text or JSON, with the reason."""
    async with _serving(Address(), State(ready=False, detail="shard 1-3 is loading")) as url, ClientSession() as client:
        async with client.get(f"{url}/-/healthy") as answer:
            assert (answer.status, (await answer.text()).splitlines()[0]) == (200, "healthy")
        async with client.get(f"{url}/-/ready") as answer:
            assert (answer.status, await answer.text()) == (503, "not ready\nshard 1-3 is loading\n")
        async with client.get(f"{url}/-/ready", headers={"Accept": "application/json"}) as answer:
            assert await answer.json() == {"ready": False, "detail": "shard 1-3 is loading"}
    async with _serving(Address(), State(healthy=False, detail="stands still")) as url, ClientSession() as client:
        for path in ("/-/healthy", "/-/ready"):
            async with client.get(f"{url}{path}") as answer:
                assert answer.status == 503
        async with client.get(f"{url}/") as answer:
            assert answer.status == 404


async def test_a_token_guards_the_metrics_and_is_never_shown() -> None:
    """With a token set, `/metrics` wants it; health stays open for orchestrators; no repr tells it."""
    address = Address(token="s3cret")
    assert "s3cret" not in repr(address)
    async with _serving(address) as url, ClientSession() as client:
        for headers, status in (
            ({}, 401),
            ({"Authorization": "Bearer wrong"}, 401),
            ({"Authorization": "s3cret"}, 401),
            ({"Authorization": "Bearer s3cret"}, 200),
        ):
            async with client.get(f"{url}/metrics", headers=headers) as answer:
                assert answer.status == status
        async with client.get(f"{url}/-/ready") as answer:
            assert answer.status == 200


async def test_a_port_in_use_is_one_clear_message() -> None:
    """The address is named, the reason and what to do; nothing is left open."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        telemetry = Telemetry(TelemetrySettings(now=lambda: 0, address=Address(port=port)))
        expected = rf"cannot listen on 127\.0\.0\.1:{port} for /metrics; .*in use.*; choose another"
        with pytest.raises(Trouble, match=expected):
            await telemetry.start(list, State)
        await telemetry.stop()


async def test_a_worker_s_telemetry_starts_and_stops() -> None:
    """Loopback unless told; stopping twice is harmless and frees the port."""
    shard = PlainShard(1, 5)
    known = known_by_stage(Declared({"billing": ("voice",)}))
    telemetry = Telemetry(TelemetrySettings(now=lambda: 0, known=known))
    assert telemetry.port == 0
    await telemetry.start(lambda: [shard], State)
    telemetry.process.worker_started("0.1.0", "3.11", "0.15.3", "0.14")
    async with ClientSession() as client, client.get(f"http://127.0.0.1:{telemetry.port}/metrics") as answer:
        body = await answer.text()
    assert 'contact_visits_entered_total{channel="voice",partition="5",queue="billing"} 0.0' in body
    assert "contact_stream_build_info{" in body
    await telemetry.stop()
    await telemetry.stop()
    assert telemetry.port == 0


async def test_a_large_scrape_leaves_the_loop_alone() -> None:
    """While ten large scrapes run, the loop that must send heartbeats is never held up for long.

    The bound is wide for a busy machine; rendering in the loop would hold it up for the whole rendering, and
    `bench/scrape.py` has the figures.
    """
    declared = Declared({f"queue-{number}": ("voice", "chat", "email") for number in range(25)})
    shards = [PlainShard(1, partition) for partition in range(8)]
    collector = ShardCollector(lambda: shards, lambda: 0, known_by_stage(declared))
    server = Server(Address(), Renderer(collector, ProcessMetrics()), State)
    await server.start()
    lateness: list[float] = []

    async def watch() -> None:
        while True:
            due = time.perf_counter() + 0.002
            await asyncio.sleep(0.002)
            lateness.append(time.perf_counter() - due)

    watching = asyncio.create_task(watch())
    async with ClientSession() as client:
        for _ in range(10):
            async with client.get(f"http://127.0.0.1:{server.port}/metrics") as answer:
                lines = (await answer.read()).count(b"\n")
    watching.cancel()
    await server.stop()
    assert lines > 30_000
    assert sorted(lateness)[int(len(lateness) * 0.9)] < 0.05
