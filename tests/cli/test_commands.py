"""`contact-stream` as a person calls it: help, usage, and expected trouble in one message each."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stream.cli.errors import guarded
from stream.cli.main import command_names, main, parser_of
from stream.core.trouble import Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MakeTopics

PROGRAM = str(Path(sys.executable).parent / "contact-stream")


def called(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own, with nothing of ours in its environment but what is given."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("CONTACT_STREAM_", "KAFKA_", "DEMO_"))}
    return subprocess.run(
        [PROGRAM, *arguments], env=clean | environment, capture_output=True, text=True, timeout=60, check=False
    )


def check_trouble(done: subprocess.CompletedProcess[str], code: int, *words: str) -> None:
    """Check that a run ended with this code and one message that holds these words, without a traceback."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    for word in words:
        assert done.stderr.count(word) == 1, done.stderr
    messages = [line for line in done.stderr.splitlines() if "contact-stream: " in line or "level=error" in line]
    assert len(messages) == 1, done.stderr


def test_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    """Each with one line, and no command needs another's libraries to be listed."""
    with pytest.raises(SystemExit) as ended:
        main(["--help"])
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for name, line in command_names().items():
        assert f"{name} " in shown
        assert line in shown
        assert line.endswith(".")


@pytest.mark.parametrize("arguments", [[], ["no-such-command"], ["topics"], ["topics", "create", "--no-such-option"]])
def test_wrong_usage_is_exit_code_two(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """With the usage on standard error."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: contact-stream" in capsys.readouterr().err


def test_every_option_has_help() -> None:
    """Nothing undocumented in any command."""
    for name in command_names():
        for action in parser_of(name)._actions:
            assert action.help, f"{name} {action.option_strings or action.dest}"


def test_all_wrong_settings_are_one_message() -> None:
    """Read once, told at once, exit code 2."""
    done = called("topics", "check", CONTACT_STREAM_PARTITIONS="none", KAFKA_SECURITY_PROTOCOL="TLS")
    check_trouble(done, 2, "CONTACT_STREAM_PARTITIONS", "KAFKA_SECURITY_PROTOCOL")


def test_an_unreachable_broker_is_one_message() -> None:
    """For a command and for the worker, which says that it waits."""
    check_trouble(called("topics", "check", "-b", "127.0.0.1:1"), 1, "cannot reach Kafka at 127.0.0.1:1")
    done = called("worker", "-b", "127.0.0.1:1", "--web-port", "0", CONTACT_STREAM_BROKER_PATIENCE="0s")
    check_trouble(done, 1, "cannot reach Kafka at 127.0.0.1:1")


def test_a_wrong_policy_file_is_one_message_with_every_problem(tmp_path: Path) -> None:
    """Each problem with its line; a file that is not there, too."""
    policy = tmp_path / "policy.toml"
    policy.write_text('lateness_ms = "soon"\n[queues]\nsales = { target = 5 }\n', encoding="utf-8")
    check_trouble(called("worker", "--policy", str(policy)), 2, "cannot use the policy file", "line 1", "line 3")
    check_trouble(called("worker", "--policy", str(tmp_path / "none")), 2, "cannot use the policy file")


def test_missing_topics_are_one_message(kafka: str, fresh_prefix: str) -> None:
    """`check` and the worker name them; the hint is the command that creates them."""
    done = called("topics", "check", "-b", kafka, "--prefix", fresh_prefix)
    assert done.returncode == 1
    assert f"missing: {fresh_prefix}calls.v1" in done.stdout
    done = called("worker", "-b", kafka, "--web-port", "0", "--prefix", fresh_prefix, "--app-id", "none")
    check_trouble(done, 1, f"{fresh_prefix}calls.v1", "topics create --execute")


def test_a_port_in_use_is_one_message(kafka: str, make_topics: MakeTopics) -> None:
    """It names the address and the option that changes it."""
    layout = make_topics(partitions=1)
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        done = called("worker", "-b", kafka, "--web-port", port, "--prefix", layout.prefix, "--app-id", layout.app_id)
    check_trouble(done, 1, f"cannot listen on 127.0.0.1:{port}", "--web-port")


def test_no_java_is_one_message() -> None:
    """The demo without a broker needs Java, and says which one and what else would do."""
    done = called("demo", CONTACT_STREAM_JAVA="no-such-java")
    check_trouble(done, 1, "no-such-java", "install Java 17", "KAFKA_BOOTSTRAP_SERVERS")


def test_topics_are_created_when_asked_to(kafka: str, fresh_prefix: str) -> None:
    """Without --execute nothing happens; afterwards `check` is content."""
    names = ("--prefix", fresh_prefix, "--app-id", fresh_prefix.strip("."), "--partitions", "2", "-b", kafka)
    dry = called("topics", "create", *names)
    assert dry.returncode == 0
    assert f"would create: {fresh_prefix}calls.v1" in dry.stdout
    assert called("topics", "check", *names).returncode == 1
    assert f'"{fresh_prefix}calls.v1"' in called("topics", "create", "--execute", "--json", *names).stdout
    done = called("topics", "check", *names)
    assert (done.returncode, done.stdout) == (0, "13 topics exist as they should, 2 partitions each\n")


@contextmanager
def ctrl_c(means: signal._HANDLER) -> Iterator[None]:
    """What Ctrl-C does to this process meanwhile, and to its children where it is ignored."""
    before = signal.signal(signal.SIGINT, means)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def test_ctrl_c_is_quiet() -> None:
    """Whoever presses it knows why the program ends: no message, exit code 3."""
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with ctrl_c(signal.default_int_handler):  # a background job of a shell is born deaf to it
            process = subprocess.Popen(
                [PROGRAM, "topics", "check", "-b", address], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
            )
        with silent.accept()[0]:  # it waits for an answer
            process.send_signal(signal.SIGINT)
            output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (3, "", "")


@pytest.mark.parametrize(
    ("before", "code", "said"),
    [(signal.default_int_handler, 3, ""), (signal.SIG_IGN, 1, "contact-stream: cannot; timeout; try again\n")],
)
def test_a_ctrl_c_that_a_library_swallows_counts(
    before: signal._HANDLER, code: int, said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """kafka-python catches whatever is raised inside its loop and then only fails; who ignores Ctrl-C hears of it."""

    def run() -> int:
        with suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        raise Trouble("cannot", "timeout", "try again")

    with ctrl_c(before):
        assert guarded(run) == code
        assert signal.getsignal(signal.SIGINT) is before
    assert capsys.readouterr().err == said


def test_a_reader_that_has_seen_enough_is_no_trouble(tmp_path: Path) -> None:
    """`contact-stream … | head` ends quietly."""
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as closed:
        done = subprocess.run(
            [PROGRAM, "docs", "--folder", str(tmp_path)], stdout=closed, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_file_that_cannot_be_used_is_one_message(capsys: pytest.CaptureFixture[str]) -> None:
    """Wherever it was opened: which file, and what the system said."""

    def run() -> int:
        raise FileNotFoundError(2, "No such file or directory", "lines.jsonl")

    assert guarded(run) == 1
    assert capsys.readouterr().err == "contact-stream: cannot use lines.jsonl; No such file or directory\n"


def test_a_bug_is_not_hidden() -> None:
    """Only expected trouble becomes a message."""
    with pytest.raises(ZeroDivisionError):
        guarded(lambda: 1 // 0)
