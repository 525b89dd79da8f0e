from __future__ import annotations

import types

import pytest

from neuroanp.cli import train as cli_train
from support.mutations import shell


class StandIn:
    """Trainer that keeps what it was asked for, and simulates nothing."""

    def __init__(self):
        self.asked = []

    def trainer(self, task, recipe, *, start, **settings):
        recipe.check(task)
        self.asked.append({"task": task, "recipe": recipe, **settings})
        return types.SimpleNamespace()


@pytest.fixture
def trained(monkeypatch, tmp_path):
    """What ``neuroanp train`` asked trainers for, in an empty folder that is left empty."""
    stand_in = StandIn()
    monkeypatch.setattr(cli_train, "Trainer", stand_in.trainer)
    monkeypatch.setattr(cli_train, "RunFolder", lambda out, trainer, checkpoints: trainer)
    monkeypatch.setattr(cli_train, "run_and_save", lambda folder, quiet, json: 0)
    (tmp_path / "trap.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    shell("list")
    return stand_in
