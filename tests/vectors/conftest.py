"""Names, at the end of the test run, the expectations of the golden scenarios that were not checked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.vectors.waiting import seen

if TYPE_CHECKING:
    from _pytest.terminal import TerminalReporter


def pytest_terminal_summary(terminalreporter: TerminalReporter) -> None:
    """Say each by name: the case stage and the calendars are parts of the product still to come."""
    if seen:
        terminalreporter.section("golden scenarios: expectations that wait for a later part of the product")
        for name in sorted(seen):
            terminalreporter.line(name)
