"""A partition moves between two workers in front of a real Prometheus, and no count is lost or invented."""

from __future__ import annotations

import asyncio
import re
import socket
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import ClientConnectionError, ClientSession

from stream.telemetry.catalogue import CATALOGUE
from stream.telemetry.figures import PlainShard
from stream.telemetry.known import Declared, known_by_stage
from stream.telemetry.service import Telemetry, TelemetrySettings
from tests.deploy.stories import shipped_rules

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

KNOWN = known_by_stage(Declared({"billing": ("voice",)}))
VISITS = ("contact_visits_total", "voice", "billing", "answered")
TALK = ("contact_talk_seconds_total", "voice", "billing")
BUCKET = ("contact_wait_seconds", "voice", "billing", "answered", 2)
UNDECLARED = ("contact_visits_total", "voice", "other", "exited")
SCRAPE_SECONDS = 0.25


class State(NamedTuple):
    """A worker without trouble."""

    healthy: bool = True
    ready: bool = True
    detail: str = ""


class Worker:
    """A worker as Prometheus sees it: the shards it owns now, behind a port for each Prometheus.

    Two, because what is not declared stands at 0 for one scrape: the other Prometheus must not be the one that gets it.
    """

    def __init__(self, *owned: PlainShard) -> None:
        """Own some shards."""
        self.owned = list(owned)
        self.pages = [Telemetry(TelemetrySettings(now=lambda: 0, known=KNOWN)) for _ in range(2)]

    async def start(self) -> None:
        """Serve."""
        for page in self.pages:
            await page.start(lambda: list(self.owned), State)

    async def stop(self) -> None:
        """End, as a killed worker does: nothing answers any more."""
        for page in self.pages:
            await page.stop()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _configuration(shipped: Path, ports: list[int]) -> str:
    """The shipped file with our targets (each with the labels Kubernetes would give), pace and absolute rule paths."""
    text = re.sub(r"- (rules|alerts)/", rf"- {shipped}/\1/", (shipped / "prometheus.yml").read_text())
    text = re.sub(r"(scrape|evaluation)_interval: 15s", rf"\1_interval: {int(SCRAPE_SECONDS * 1000)}ms", text)
    targets = "".join(
        f'      - targets: ["127.0.0.1:{port}"]\n'
        f'        labels: {{pod: "pod-{port}", container: "c-{port}", node: "n-{port}"}}\n'
        for port in ports
    )
    # the Alertmanager's targets stand deeper
    text, replaced = re.subn(r"^ {6}- targets: .*\n", targets, text, flags=re.MULTILINE)
    assert replaced == 1
    return text


def _folder(at: Path, configuration: str) -> Path:
    """A folder with the configuration in it."""
    at.mkdir()
    (at / "prometheus.yml").write_text(configuration)
    return at


@asynccontextmanager
async def _prometheus(program: str, folder: Path) -> AsyncIterator[str]:
    """A Prometheus of our own; its address."""
    port = _free_port()
    process = await asyncio.create_subprocess_exec(
        program,
        f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        await _until_ready(f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _until_ready(url: str) -> None:
    for _ in range(300):
        try:
            async with ClientSession() as client, client.get(f"{url}/-/ready") as answer:
                if answer.status == 200:
                    return
        except ClientConnectionError:
            pass
        await asyncio.sleep(0.1)
    raise AssertionError(f"Prometheus at {url} does not get ready")


async def _query(url: str, expression: str) -> list[dict[str, Any]]:
    """An instant query: its samples."""
    async with ClientSession() as client, client.get(f"{url}/api/v1/query", params={"query": expression}) as answer:
        found = await answer.json()
        assert found["status"] == "success", found
        return list(found["data"]["result"])


async def _value(url: str, expression: str) -> float:
    """An instant query with one sample."""
    (sample,) = await _query(url, expression)
    return float(sample["value"][1])


class Centre:
    """Three shards that count all the time, wherever they are."""

    def __init__(self) -> None:
        """Nothing counted."""
        self.shards = [PlainShard(1, partition) for partition in range(3)]
        self.counted = 0

    def count(self) -> None:
        """One batch on every shard: a visit, a retraction now and then, talk time, a wait."""
        self.counted += 1
        for shard in self.shards:
            n = self.counted * (shard.partition + 1)
            shard.counters |= {
                VISITS: (n, n // 10),
                TALK: (n * 1_234, n // 10),
                BUCKET: (n, 0),
                (*BUCKET[:-1], "sum"): (n * 12_000, 0),
            }
            if self.counted > 20:
                shard.counters[UNDECLARED] = (self.counted - 20, 0)

    async def run(self, seconds: float) -> None:
        """Count for a while."""
        for _ in range(round(seconds / 0.05)):
            self.count()
            await asyncio.sleep(0.05)


async def test_a_moved_partition_keeps_one_history(prometheus: str, deploy: Path, tmp_path: Path) -> None:
    """Partition 1 moves from A to B, then A dies and B takes 0 too: totals exact, `resets()` 0, one series each.

    Beside it a Prometheus without the relabelling sees every moved series twice: so the relabelling is what does it.
    """
    centre = Centre()
    a, b = Worker(*centre.shards[:2]), Worker(centre.shards[2])
    async with AsyncExitStack() as stack:
        for worker in (a, b):
            await worker.start()
            stack.push_async_callback(worker.stop)
        text, bare_text = (_configuration(deploy, [a.pages[i].port, b.pages[i].port]) for i in range(2))
        shipped = await stack.enter_async_context(_prometheus(prometheus, _folder(tmp_path / "shipped", text)))
        bare_text = bare_text[: bare_text.index("    metric_relabel_configs")]
        bare = await stack.enter_async_context(_prometheus(prometheus, _folder(tmp_path / "bare", bare_text)))
        for url in (shipped, bare):
            await _reaches(url, "count(up == 1)", 2)
        await centre.run(2)
        moved = a.owned.pop()
        await centre.run(0.6)
        b.owned.append(moved)
        await centre.run(1.5)
        a.owned.clear()
        await a.stop()
        await centre.run(0.6)
        b.owned.append(centre.shards[0])
        await centre.run(1.5)
        await _check_shipped(shipped, centre)
        await _check_instances(shipped, bare)


async def _check_shipped(url: str, centre: Centre) -> None:
    """Every figure of the state stands in Prometheus as it is, and never fell on the way."""
    counted = [shard.counters for shard in centre.shards]
    visits = sum(counters[VISITS][0] + counters[UNDECLARED][0] for counters in counted)
    net = sum(counters[VISITS][0] - counters[VISITS][1] for counters in counted)
    await _reaches(url, "sum(contact_visits_total)", visits)
    await _reaches(url, 'channel_queue_outcome:contact_visits:net{queue="billing"} > 0', net)
    assert await _value(url, "sum(contact_wait_seconds_count)") == sum(counters[BUCKET][0] for counters in counted)
    talk = sum(counters[TALK][0] for counters in counted) / 1000
    assert abs(await _value(url, "sum(contact_talk_seconds_total)") - talk) < 1e-9
    rise = "max_over_time(contact_visits_total[5m]) - min_over_time(contact_visits_total[5m])"
    assert await _value(url, f"sum({rise})") == visits
    for entry in CATALOGUE.values():
        if entry.family.kind != "gauge" and "partition" in entry.labels:
            for name in entry.samples:
                fallen = await _query(url, f'resets({name}{{partition!=""}}[5m]) > 0')
                assert fallen == [], name
    assert len(await _query(url, "resets(contact_visits_total[5m])")) > 3


async def _reaches(url: str, expression: str, expected: float) -> None:
    """Wait for the last scrape and rule evaluation; the figure must become the expected one."""
    for _ in range(80):
        found = [float(sample["value"][1]) for sample in await _query(url, expression)]
        if found == [expected]:
            return
        await asyncio.sleep(SCRAPE_SECONDS)
    raise AssertionError(f"{expression} is {found}, not {expected}")


async def _check_instances(shipped: str, bare: str) -> None:
    """Shard figures name no worker, process figures do; without the relabelling moved series are there twice."""
    for label in ("instance", "pod", "container", "node"):
        assert await _query(shipped, f'{{partition!="", {label}!=""}}') == []
        assert await _query(shipped, f'contact_stream_shard_owned{{{label}=""}}') == []
    histories = 'count by (partition) (count_over_time(contact_visits_total{outcome="answered", queue="billing"}[5m]))'
    seen = {sample["metric"]["partition"]: int(sample["value"][1]) for sample in await _query(shipped, histories)}
    assert seen == {"0": 1, "1": 1, "2": 1}
    twice = {sample["metric"]["partition"]: int(sample["value"][1]) for sample in await _query(bare, histories)}
    assert twice == {"0": 2, "1": 2, "2": 1}


def _hasty(shipped: Path, to: Path) -> Path:
    """A copy of what is shipped whose rules all run four times a second."""
    for folder in ("rules", "alerts"):
        (to / folder).mkdir(parents=True)
    for path in shipped.rglob("*.yml"):
        (to / path.relative_to(shipped)).write_text(
            re.sub(r"    interval: \w+", "    interval: 250ms", path.read_text())
        )
    return to


async def test_prometheus_runs_every_rule(prometheus: str, deploy: Path, tmp_path: Path) -> None:
    """Loaded by the real program, every rule is evaluated without an error."""
    worker = Worker(PlainShard(1, 0, {VISITS: (3, 0)}))
    await worker.start()
    hasty = _hasty(deploy, tmp_path / "deploy")
    folder = _folder(tmp_path / "rules", _configuration(hasty, [worker.pages[0].port]))
    async with _prometheus(prometheus, folder) as url:
        await _reaches(url, "max(channel_queue_outcome:contact_visits:net)", 3)
        await _reaches(url, 'count({__name__=~"channel_queue:contact_visits_finished:.*", queue="billing"})', 5)
        async with ClientSession() as client, client.get(f"{url}/api/v1/rules") as answer:
            groups = (await answer.json())["data"]["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    assert len(groups) == len({rule.group for rule in shipped_rules()})
    assert len(rules) == len(shipped_rules())
    assert {(rule["health"], rule.get("lastError")) for rule in rules} == {("ok", None)}
    await worker.stop()
