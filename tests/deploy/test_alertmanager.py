"""Who hears of an alert, and which alerts are kept back while another one fires: asked of Alertmanager itself."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import time
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.deploy.stories import alerts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

Labels = dict[str, str]
SPIKE: Labels = {"alertname": "ContactAbandonmentSpike", "channel": "voice", "queue": "billing"}
BURN: Labels = {"alertname": "ContactAbandonmentSlowBurn", "channel": "voice", "queue": "billing"}
ELSEWHERE: Labels = {**BURN, "queue": "sales"}
STEP: Labels = {"alertname": "ContactStepAbandonmentSpike", "step": "menu:main"}
FELL: Labels = {"alertname": "ContactHandleTimeAndFcrFell", "channel": "voice", "queue": "billing"}
STALLED: Labels = {"alertname": "ContactStreamStalled", "stage": "1", "shard": "3"}
UNOWNED: Labels = {"alertname": "ContactShardUnowned", "stage": "1", "shard": "3"}
LAG: Labels = {"alertname": "ContactStreamLag", "topic": "calls"}
ABSENT: Labels = {"alertname": "ContactStreamAbsent"}


def framed(alert: Labels) -> Labels:
    """The alert with the severity and area that its rule gives it."""
    text = alerts()[alert["alertname"]].text
    return {**alert, **{name: re.findall(rf"{name}: (\w+)", text)[0] for name in ("severity", "area")}}


def test_the_configuration_is_valid(amtool: str, deploy: Path) -> None:
    """`amtool check-config` reads the shipped file."""
    command = [amtool, "check-config", str(deploy / "alertmanager.yml")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "4 inhibit rules" in done.stdout


@pytest.mark.parametrize("name", alerts())
def test_every_alert_has_its_receiver(name: str, amtool: str, deploy: Path) -> None:
    """Pages about the program and about the centre go to different people; everything else is for the day."""
    labels = framed({"alertname": name})
    expected = {
        ("page", "pipeline"): "pipeline-pages",
        ("page", "operations"): "operations-pages",
    }.get((labels["severity"], labels["area"]), "warnings")
    said = [f"{label}={value}" for label, value in labels.items()]
    command = [amtool, "config", "routes", "test", f"--config.file={deploy / 'alertmanager.yml'}", *said]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == expected, done.stderr


def test_what_stands_still_mutes_what_depends_on_it(alertmanager: str, deploy: Path, tmp_path: Path) -> None:
    """A stall mutes operations, no worker mutes the program too, a page mutes the warnings about the same queue."""
    told = [SPIKE, BURN, ELSEWHERE, STEP, FELL, LAG]
    with running(alertmanager, deploy / "alertmanager.yml", tmp_path) as port:
        tell(port, told)
        check_heard(port, [SPIKE, ELSEWHERE, STEP, FELL, LAG])
        tell(port, [STALLED])
        check_heard(port, [STALLED, FELL, LAG])
        tell(port, [UNOWNED])
        check_heard(port, [UNOWNED, FELL, LAG])
        tell(port, [ABSENT])
        check_heard(port, [ABSENT, FELL])


@contextmanager
def running(program: str, configuration: Path, folder: Path) -> Iterator[int]:
    """An Alertmanager of our own; its port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    process = subprocess.Popen(
        [
            program,
            f"--config.file={configuration}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        deadline = time.monotonic() + 30
        while not ready(port):
            assert process.poll() is None, "Alertmanager ended"
            assert time.monotonic() < deadline, "Alertmanager does not get ready"
            time.sleep(0.1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def ready(port: int) -> bool:
    """Whether it answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/-/ready", timeout=2):
            return True
    except OSError:
        return False


def tell(port: int, told: list[Labels]) -> None:
    """Let alerts fire, as Prometheus does."""
    body = json.dumps([{"labels": framed(alert)} for alert in told]).encode()
    address = f"http://127.0.0.1:{port}/api/v2/alerts"
    request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310  the address is ours
        assert answer.status == 200


def heard(port: int) -> list[Labels]:
    """The alerts that are not kept back."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v2/alerts", timeout=10) as answer:
        found: list[dict[str, Any]] = json.load(answer)
    return [each["labels"] for each in found if not each["status"]["inhibitedBy"]]


def check_heard(port: int, expected: list[Labels]) -> None:
    """Wait until exactly these alerts are not kept back; Alertmanager takes a moment to see what fires."""
    wanted = sorted(json.dumps(framed(alert), sort_keys=True) for alert in expected)
    deadline = time.monotonic() + 10
    while (found := sorted(json.dumps(alert, sort_keys=True) for alert in heard(port))) != wanted:
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
