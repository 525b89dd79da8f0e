"""The package keeps to its layers, and stays small enough to be known by heart."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def lint():
    """The import linter, run on a checkout."""

    def run(folder):
        words = [
            sys.executable,
            "-c",
            "from importlinter.cli import lint_imports_command as run; run()",
            "--no-cache",
        ]
        return subprocess.run(words, cwd=folder, capture_output=True, text=True)

    return run


def test_contracts_are_kept(lint):
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 kept, 0 broken" in done.stdout


@pytest.mark.parametrize(
    ("module", "line", "importer"),
    [
        ("network/record.py", "from neuroanp.training.task import Task", "neuroanp.network"),
        ("rules/node.py", "from neuroanp.optim.adam import Adam", "neuroanp.rules"),
        ("engine/noise.py", "from neuroanp.config import checks", "neuroanp.engine"),
        ("newcomer.py", "import neuroanp.errors", "neuroanp.newcomer"),
    ],
)
def test_wrong_imports_are_seen(lint, tmp_path, module, line, importer):
    for name in ("neuroanp", "models", "tasks"):
        shutil.copytree(
            ROOT / name, tmp_path / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    path = tmp_path / "neuroanp" / module
    path.write_text(f"{path.read_text() if path.exists() else ''}\n{line}\n")
    done = lint(tmp_path)
    assert done.returncode == 1
    assert importer in done.stdout + done.stderr


def test_the_house_stays_small():
    counted = subprocess.run(
        [sys.executable, ROOT / "tests/contracts/rooms.py"], capture_output=True, text=True, check=True
    )
    rooms, floors = re.search(r"(\d+) rooms, (\d+) floors, \d+ arrows, no circle", counted.stdout).groups()
    assert int(rooms) <= 32
    assert int(floors) <= 9
