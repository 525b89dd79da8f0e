"""What the README shows works: its Python, its entry points, the commands that CI takes from it."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def blocks(language):
    return re.findall(
        rf"^```{language}\n(.*?)^```", (ROOT / "README.md").read_text(), re.DOTALL | re.MULTILINE
    )


def test_python_runs(tmp_path, monkeypatch, capsys):
    """The first example, with two updates in place of as many as it takes to learn."""
    monkeypatch.chdir(tmp_path)
    code, shortened = re.subn(r"updates=\d+", "updates=2", blocks("python")[0])
    assert shortened == 1
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert len(names["run"].history["loss"]) == 2
    assert str(names["run"]) in capsys.readouterr().out


def test_first_commands_install_train_and_test():
    train, test = blocks("bash")[:2]
    assert "pip install -e" in train and "neuroanp train" in train
    assert "pip install -e" in test and test.rstrip().endswith("pytest")


def test_entry_point_groups_are_the_real_ones():
    shown = tomllib.loads("\n".join(blocks("toml")))["project"]["entry-points"]
    assert set(shown) <= set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"])
