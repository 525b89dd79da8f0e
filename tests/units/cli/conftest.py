from __future__ import annotations

import pytest

from support.toys import Recipes, Registry, Training


@pytest.fixture
def training(monkeypatch, tmp_path):
    """The shell command with toy tasks and a `train` that simulates nothing, in an empty folder."""
    from neuroanp import config
    from neuroanp.cli import train as cli_train
    from neuroanp.plotting import run as plotting

    stand_in, registry = Training(), Registry()
    monkeypatch.setattr(cli_train, "training", stand_in)
    monkeypatch.setattr(cli_train, "recipes", Recipes())
    monkeypatch.setattr(cli_train, "registry", registry)
    monkeypatch.setattr(config, "registry", registry)
    monkeypatch.setattr(plotting, "figure", lambda *_: plotting.RunFigure(figsize=(1, 1)))
    monkeypatch.chdir(tmp_path)
    return stand_in
