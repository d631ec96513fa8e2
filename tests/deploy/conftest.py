"""Prometheus itself, as the distribution ships it: the checks here are worth what the real program says."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"


def _program(name: str) -> str:
    """The path of a program; missing, it skips the test on a laptop and fails it in CI."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed; install the package prometheus to run what needs it"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return path


@pytest.fixture(scope="session")
def promtool() -> str:
    """Path of promtool."""
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> str:
    """Path of Prometheus."""
    return _program("prometheus")


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder with the configuration and the rules that are shipped."""
    return DEPLOY
