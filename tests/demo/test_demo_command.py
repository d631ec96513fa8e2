"""`contact-stream demo` as a user runs it, on a real Kafka, with a worker killed in the middle."""

import os
import re
import signal
import subprocess
import sys

from stream.admin.connection import open_admin
from stream.wire.broker import Broker


def test_the_demo_checks_itself_through_a_kill(kafka: str) -> None:
    """With DEMO_SECONDS it ends by itself; a worker killed with -9 is started again and no figure differs."""
    environment = dict(os.environ) | {"DEMO_SECONDS": "15", "KAFKA_BOOTSTRAP_SERVERS": kafka}
    command = [sys.executable, "-m", "stream.cli", "demo", "--scale", "5"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines: list[str] = []
    workers: list[int] = []
    with process:
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line)
            if found := re.match(r"worker \d: process (\d+)", line):
                workers.append(int(found[1]))
            if "records/s" in line and len(workers) == 2:
                os.kill(workers.pop(), signal.SIGKILL)
    output = "".join(lines)
    assert process.returncode == 0, output
    assert "all equal" in output, output
    assert "workers started again: 1" in output, output
    assert not _alive(workers[0])
    pages = re.findall(r"http://(\S+)/metrics", output)
    assert "say targets: [" + ", ".join(f'"{page}"' for page in pages) + "]" in output, output
    with open_admin(Broker(kafka)) as client:
        left = [*client.list_topics(), *(group["group_id"] for group in client.list_groups())]
    assert not [name for name in left if name.startswith("contact-demo")]


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
