"""Prometheus and Alertmanager, as the distribution ships them: the checks here are worth what the real programs say."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy" / "prometheus"


def _program(*names: str, package: str = "prometheus") -> str:
    """The path of the first program there is; without any, the test is skipped on a laptop and fails in CI."""
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        reason = f"{names[0]} is not installed; install the package {package} to run what needs it"
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
def amtool() -> str:
    """Path of amtool."""
    return _program("amtool", package="prometheus-alertmanager")


@pytest.fixture(scope="session")
def alertmanager() -> str:
    """Path of Alertmanager, which the distribution calls by a longer name."""
    return _program("prometheus-alertmanager", "alertmanager", package="prometheus-alertmanager")


@pytest.fixture(scope="session")
def deploy() -> Path:
    """The folder with the configuration and the rules that are shipped."""
    return DEPLOY
