"""The shell command with nothing replaced: real tasks, a real network, a real run folder."""

from __future__ import annotations

import gc
import json
import signal
import sys
from pathlib import Path

import numpy as np
import pytest

from neuroanp.cli.main import main
from neuroanp.config import registry
from neuroanp.config.document import describe, restore
from neuroanp.config.part import options
from neuroanp.config.text import first_line, form
from neuroanp.training.run import Run

TASK = "--task.length 2 --task.delay 1 --task.evaluation_trials 20"
COPYING = f"train copying-memory {TASK} --model.hidden 20 --lanes 4 --updates 6 --seed 3".split()


@pytest.fixture(autouse=True)
def empty_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


def test_a_run_is_repeated_bit_by_bit_from_its_config(capsys):
    assert main([*COPYING, "--out", "first", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["task"], result["seed"], result["updates"], result["trials"]) == (
        "copying-memory",
        3,
        6,
        24,
    )
    assert main(["train", "--config", "first/config.json", "--out", "second", "--quiet"]) == 0
    first, second = Run.load("first"), Run.load("second")
    np.testing.assert_array_equal(first.history["loss"], second.history["loss"])
    for name, value in first.weights.items():
        np.testing.assert_array_equal(value, second.weights[name])
    assert first.config == second.config
    assert first.result | {"seconds": 0} == second.result | {"seconds": 0}


@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_a_run_that_blows_up_stops_with_finite_weights(capsys):
    assert main([*COPYING, "--optimizer", "sgd", "--optimizer.readout_lr", "1e300", "--out", "run"]) == 1
    said = capsys.readouterr().err
    assert "neuroanp: update 1: the test loss is no longer finite" in said
    assert "--optimizer.lr" in said
    assert all(np.isfinite(value).all() for value in Run.load("run").weights.values())


def test_ctrl_c_keeps_what_was_learned(monkeypatch, capsys):
    from neuroanp.training.loop import Trainer

    step = Trainer.step

    def stopped_by_hand(self):
        if self.state.update == 3:
            signal.default_int_handler(signal.SIGINT, None)
        return step(self)

    monkeypatch.setattr(Trainer, "step", stopped_by_hand)
    assert main([*COPYING, "--out", "run"]) == 130
    assert "stopped after 3 of 6 updates" in capsys.readouterr().err
    assert len(Run.load("run").history["loss"]) == 3


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--lanes", "0"], "lanes: expected a whole number of 1 or more, got 0"),
        (["--updates", "-1"], "updates: expected a whole number of 1 or more, got -1"),
        (["--rule.sigma", "-1"], "sigma: expected a number of 0 or more, got -1.0"),
        (["--model.hidden", "0"], "hidden: expected a whole number of 1 or more, got 0"),
        (["--model", "lif", "--rule", "weight-perturbation"], "expected noise on nodes"),
        (["--rule", "node"], "did you mean 'node-perturbation'?"),
    ],
)
def test_wrong_settings_are_one_line(capsys, words, said):
    assert main([*COPYING, *words]) == 2
    gc.collect()
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert said in printed
    assert not Path("runs").exists()


@pytest.mark.parametrize("kind", ["task", "model", "rule", "optimizer", "baseline"])
def test_all_that_is_offered_can_be_asked_for_explained_and_stored(kind):
    for name, cls in registry.classes(kind).items():
        assert first_line(cls), name
        value = cls()
        assert restore(json.loads(json.dumps(describe(x=value))))["x"] == value
        for option, (field, hint) in options(cls).items():
            assert field.metadata["doc"], f"{name}.{option}"
            assert form(field, hint) is not None, f"{name}.{option}"


@pytest.mark.parametrize("preset", ["best", "node", "published"])
@pytest.mark.parametrize(
    "task", ["copying-memory", "delayed-xor", "digits", "mackey-glass", "pattern-generation", "weather"]
)
def test_every_task_explains_its_options(task, preset, capsys):
    spiking = "node" in registry.find("task", task).presets
    if preset == ("best" if spiking else "node"):
        return
    assert main(["train", task, "--preset", preset, "--help"]) == 0
    said = capsys.readouterr().out
    for option in ("rule.sigma", "modulator.discount", "optimizer.lr", "decorrelation.rate", "model.hidden"):
        assert f"--{option} " in said
    assert "object at 0x" not in said


def test_python_dash_m_is_the_same_command(monkeypatch, capsys):
    import runpy

    monkeypatch.setattr(sys, "argv", ["neuroanp", "list"])
    with pytest.raises(SystemExit, match="0"):
        runpy.run_module("neuroanp", run_name="__main__")
    assert "copying-memory" in capsys.readouterr().out


def test_own_data_trains_from_the_shell_with_short_names_of_its_options(capsys):
    rng = np.random.default_rng(0)
    hours = [hour for hour in range(300) if not 120 <= hour < 140]
    lines = [f"2024-01-{1 + hour // 24:02d} {hour % 24:02d}:00,{a},{b}" for hour, a, b in zip(
        hours, rng.standard_normal(280), rng.standard_normal(280), strict=True)]  # fmt: skip
    Path("own.csv").write_text("\n".join(["when,a,b", *lines]))
    words = "--data own.csv --inputs a,b --targets=b --ahead 2 --time when --window 20 --washout 4"
    small = "--model.hidden 4 --model.skip_steps 2 --lanes 2 --updates 1 --engine runtime --out run"
    assert main(["train", "series", *words.split(), *small.split()]) == 0
    task = restore(Run.load("run").config)["task"]
    assert (task.inputs, task.targets, task.ahead, task.time) == (("a", "b"), ("b",), 2, "when")
    Path("own.csv").write_text("\n".join(["when,a,b", *lines, lines[-1]]))
    assert main(["train", "series", *words.split(), *small.split(), "--out", "other"]) == 2
    assert "row 282, column when: expected a time after" in capsys.readouterr().err
    assert not Path("other").exists()
