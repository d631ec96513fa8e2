"""Who may import whom: the contracts in `.importlinter` hold, and they would notice."""

from __future__ import annotations

import subprocess
import sys
from configparser import ConfigParser
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINT = Path(sys.executable).parent / "lint-imports"


def linted(configuration: Path) -> subprocess.CompletedProcess[str]:
    """Run import-linter with a configuration."""
    return subprocess.run(
        [LINT, "--no-cache", "--config", configuration], cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_imports_keep_the_contracts() -> None:
    """Every contract is kept."""
    done = linted(ROOT / ".importlinter")
    assert done.returncode == 0, done.stdout


def test_each_library_has_one_door(tmp_path: Path) -> None:
    """Without its exception for the one home, a library's contract is broken by that home: so the contract sees it."""
    homes = {"wire": "stream.wire", "telemetry": "stream.telemetry", "worker": "stream.worker", "admin": "stream.admin"}
    for name, home in homes.items():
        parser = ConfigParser()
        parser.read(ROOT / ".importlinter", encoding="utf-8")
        for section in parser.sections():
            if section.startswith("importlinter:contract:") and section != f"importlinter:contract:{name}":
                parser.remove_section(section)
        parser.remove_option(f"importlinter:contract:{name}", "ignore_imports")
        with (tmp_path / name).with_suffix(".ini").open("w", encoding="utf-8") as handle:
            parser.write(handle)
        done = linted((tmp_path / name).with_suffix(".ini"))
        assert done.returncode == 1, done.stdout
        assert home in done.stdout
