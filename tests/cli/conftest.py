from __future__ import annotations

import importlib.util
import sys
import types

import pytest
from toys import Recipes, Registry, Training

for name in ("registry", "recipes", "training"):
    if importlib.util.find_spec(f"neuroanp.{name}") is None:
        module = types.ModuleType(f"neuroanp.{name}")
        sys.modules[module.__name__] = module
        setattr(sys.modules["neuroanp"], name, module)


@pytest.fixture
def training(monkeypatch, tmp_path):
    """The shell command with toy tasks and a `train` that simulates nothing, in an empty folder."""
    import neuroanp
    from neuroanp import cli_train, plotting

    stand_in, registry = Training(), Registry()
    monkeypatch.setattr(cli_train, "training", stand_in)
    monkeypatch.setattr(cli_train, "recipes", Recipes())
    monkeypatch.setattr(cli_train, "registry", registry)
    monkeypatch.setattr(neuroanp, "registry", registry)
    monkeypatch.setattr(plotting, "figure", lambda *_: plotting.RunFigure(figsize=(1, 1)))
    monkeypatch.chdir(tmp_path)
    return stand_in
