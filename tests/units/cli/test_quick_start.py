"""Answers of the shell that need no Brian2 don't import it, and a training imports what it needs."""

import json

import pytest

from neuroanp.cli.main import main
from neuroanp.cli.quick import CHOICES
from neuroanp.config import registry
from neuroanp.config.index import index
from neuroanp.config.part import options
from neuroanp.training.recipe import Recipe
from support.processes import python

HEAVY = ("brian2", "jax", "matplotlib", "optuna", "scipy", "sklearn", "sympy")
RIGHT = (
    "--help", "--version", "list", "list --help", "train --help", "verify --help", "locality --help",
    "headroom --help", "resume --help", "test --help", "plot --help", "bench --help", "sweep --help",
    "export --help", "export --to nir --help", "cost --help", "--import colorsys list",
)  # fmt: skip
MISTYPED = (
    "trian", "train", "train no-such-task", "train copying-memory --rule no-such", "locality no-such",
    "train --model=no-such copying-memory", "sweep no-such-task", "verify no-such tanh digits",
    "headroom", "headroom no-such-task",
)  # fmt: skip


def test_an_answer_that_needs_no_brian2_imports_none():
    script = f"""
import contextlib, io, json, sys
from neuroanp.cli.main import main
for line in {RIGHT + MISTYPED}:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = main(line.split())
    print(json.dumps([line, code, [name for name in {HEAVY} if name in sys.modules]]))
"""
    answers = [json.loads(line) for line in python(script).stdout.splitlines()]
    assert answers == [[line, 0, []] for line in RIGHT] + [[line, 2, []] for line in MISTYPED]


def test_a_training_imports_its_own_task_and_rule(tmp_path):
    script = f"""
import sys
from neuroanp.cli.main import main
words = "train copying-memory --task.evaluation_trials 4 --model.hidden 4 --lanes 2 --updates 1 --json"
assert main([*words.split(), "--engine", "runtime", "--out", {str(tmp_path / "run")!r}]) == 0
print(*sys.modules)
"""
    modules = set(python(script).stdout.splitlines()[-1].split())
    assert {"neuroanp.tasks.copying_memory", "neuroanp.rules.node"} < modules
    unneeded = {"jax", "sklearn", "pandas", "scipy.sparse", "neuroanp.gradients"}
    unneeded |= {"neuroanp.tasks.cart_pole", "neuroanp.rules.e_prop", "neuroanp.models.lif"}
    assert not unneeded & modules


def test_index_says_what_the_classes_say():
    assert registry.INDEX.read_text(encoding="utf-8") == index(), "python -m neuroanp.config.index"


def test_a_class_of_others_is_listed_by_its_name_and_isnt_imported(tmp_path, monkeypatch, capsys):
    info = tmp_path / "other-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: other\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[neuroanp.tasks]\nmine = never_imported:Mine\nlif = a:B\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert main(["list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert {"  mine", "  lif"} < set(said)
    assert main(["train", "mine"]) == 2
    assert "task mine (never_imported:Mine): ModuleNotFoundError" in capsys.readouterr().err


def test_each_part_that_is_chosen_by_name_is_checked_at_once():
    chosen = {}

    def look(prefix, part):
        for name, (_, hint) in options(type(part)).items():
            if isinstance(hint, type) and (kind := registry.kind_of(hint)):
                chosen[f"{prefix}{name}"] = kind
            if hasattr(value := getattr(part, name), "replace") and hasattr(value, "choices"):
                look(f"{prefix}{name}.", value)

    look("", Recipe())
    assert chosen == CHOICES


@pytest.mark.parametrize("name", ["neuroanp.tasks", "neuroanp.models", "neuroanp.rules"])
def test_packages_that_import_what_is_asked_have_all_that_is_offered(name):
    package = __import__(name, fromlist=["*"])
    kind = name.rpartition(".")[2].removesuffix("s")
    ours = {cls for cls in registry.classes(kind).values() if cls.__module__.startswith(f"{name}.")}
    assert ours <= {getattr(package, item) for item in package.__all__}
    assert name in registry.LAZY
