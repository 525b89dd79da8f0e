from __future__ import annotations

import pytest

from support.toys import Training, toy_class, toy_classes, toy_names


@pytest.fixture
def training(monkeypatch, tmp_path):
    """The shell command with toy parts and a trainer that simulates nothing, in an empty folder."""
    from neuroanp.cli import train as cli_train
    from neuroanp.config import registry
    from neuroanp.plotting import run as plotting

    stand_in = Training()
    monkeypatch.setattr(cli_train, "Trainer", stand_in.trainer)
    monkeypatch.setattr(registry, "classes", toy_classes)
    monkeypatch.setattr(registry, "names", toy_names)
    monkeypatch.setattr(registry, "find", toy_class)
    monkeypatch.setattr(plotting, "figure", lambda *_: plotting.RunFigure(figsize=(1, 1)))
    monkeypatch.chdir(tmp_path)
    return stand_in
