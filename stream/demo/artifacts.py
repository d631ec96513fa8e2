"""Apache Kafka's own jars from Maven, fetched once into a cache folder.

Two processes may ask at the same time: one fetches, the other waits. A half-fetched folder is never seen, because
the finished one is renamed into place. It never starts anything (that is `stream.demo.kafka`).
"""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

KAFKA_VERSION: Final = "4.3.1"
_LOG4J_VERSION: Final = "2.25.3"
_COPY: Final = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies"
_REPORT_SECONDS: Final = 5.0
_POM: Final = f"""<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>contact-stream</groupId><artifactId>embedded-kafka</artifactId><version>1</version><packaging>pom</packaging>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId>
      <version>{KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.apache.logging.log4j</groupId><artifactId>log4j-slf4j-impl</artifactId>
      <version>{_LOG4J_VERSION}</version></dependency>
  </dependencies>
</project>
"""


def fetch_kafka(cache: Path, *, maven: str, report: Callable[[str], None]) -> Path:
    """Return the folder with Kafka's jars, fetching them with Maven on first use (about 44 MB).

    Args:
        cache: the user's cache folder of this product; made when missing.
        maven: Maven's command or path.
        report: called with one line of progress every few seconds while fetching.

    Raises:
        Trouble: Maven is missing or failed, or the folder cannot be written.
    """
    jars = cache / f"kafka-{KAFKA_VERSION}"
    if jars.is_dir():
        return jars
    if shutil.which(maven) is None:
        raise Trouble(
            "cannot fetch the embedded Kafka",
            f"Maven ({maven}) is not installed",
            "install Maven, or set KAFKA_BOOTSTRAP_SERVERS to a running Kafka",
        )
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with _exclusive(cache / "kafka.lock"):
            if not jars.is_dir():
                _fetch_into(jars, maven, report)
    except OSError as error:
        raise Trouble(f"cannot write the cache folder {cache}", str(error), "set CONTACT_STREAM_CACHE") from error
    return jars


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    """Hold a lock between processes; the system frees it when this process dies."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _fetch_into(jars: Path, maven: str, report: Callable[[str], None]) -> None:
    with tempfile.TemporaryDirectory(dir=jars.parent, prefix="fetching-") as folder:
        work = Path(folder)
        (work / "pom.xml").write_text(_POM, encoding="utf-8")
        command = [maven, "-B", "-f", str(work / "pom.xml"), _COPY, f"-DoutputDirectory={work / 'jars'}"]
        command.append("-DincludeScope=runtime")
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process:
            complaint = _follow(process.stdout, report)
        if process.returncode != 0 or not any(work.glob("jars/kafka_*.jar")):
            raise Trouble(
                "cannot fetch the embedded Kafka with Maven", complaint, "check Maven's access to its repository"
            )
        (work / "jars").rename(jars)


def _follow(lines: IO[str] | None, report: Callable[[str], None]) -> str:
    """Turn Maven's chatter into a line every few seconds; return its first complaint."""
    report(f"fetching Apache Kafka {KAFKA_VERSION} with Maven (about 44 MB, once)")
    complaint, files, told = "Maven failed without a message", 0, time.monotonic()
    for line in lines or ():
        files += line.startswith(("Downloaded", "[INFO] Downloaded"))
        if line.startswith("[ERROR]") and complaint.startswith("Maven failed without"):
            complaint = line.removeprefix("[ERROR]").strip()
        if time.monotonic() - told >= _REPORT_SECONDS:
            told = time.monotonic()
            report(f"fetching Apache Kafka {KAFKA_VERSION}: {files} files so far")
    return complaint
