"""Mistakes of users: one clear sentence before anything is simulated."""

import subprocess
import sys

import numpy as np
import pytest

import neuroanp as nap
from neuroanp.engine.build import compiler
from neuroanp.errors import InvalidValue
from neuroanp.models import TanhRNN
from neuroanp.rules import NodePerturbation
from support.copying import training
from support.processes import environment

ARRAY = np.zeros((3, 2, 1))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rule": "node-perturbation"}, r"Recipe\.rule: .* as NodePerturbation\(\), got node-perturbation"),
        ({"rule": NodePerturbation}, r"Recipe\.rule: .* as NodePerturbation\(\), got the class"),
        ({"optimizer": "adam"}, r"Recipe\.optimizer: expected an instance of Stage, as Adam\(\), got adam"),
        ({"decorrelation": 0.01}, r"Recipe\.decorrelation: .* as Decorrelation\(rate=0\.01\), got 0\.01"),
        ({"model": "lif"}, r"Recipe\.model: expected an instance of Model, as LIF\(\), got lif"),
        ({"updates": "3"}, r"Recipe\.updates: expected a whole number of 1 or more, got 3"),
    ],
)
def test_settings_of_another_kind_are_told_how_to_be_written(change, message):
    with pytest.raises(InvalidValue, match=message):
        nap.Recipe().replace(**change)


@pytest.mark.parametrize(("mask", "got"), [(np.zeros((3, 2)), "zeros"), (np.full((3, 2), -1.0), "-1")])
def test_a_mask_that_counts_nothing_or_less(mask, got):
    with pytest.raises(InvalidValue, match=rf"Trial\.mask: expected weights of 0 or more, .* got {got}"):
        nap.Trial(ARRAY, ARRAY, mask)


def test_sizes_beyond_the_machines_memory():
    with pytest.raises(InvalidValue, match=r"TanhRNN\.hidden: .* GiB of memory, got 10000000 hidden units"):
        training(model=TanhRNN(hidden=10**7))


def test_a_factor_of_the_wrong_shape_is_named():
    class Flat(NodePerturbation):
        def post(self, layer, record, modulator):
            return super().post(layer, record, modulator).sum(axis=1)

    with pytest.raises(
        InvalidValue, match=r"Flat\.post: expected shape \(\d+, 16, 20\) \(T, L, n\), got shape"
    ):
        training(rule=Flat(), engine="runtime").step()


SLOPE = 3.0


def test_a_constant_of_the_script_in_a_models_strings():
    class Steep(TanhRNN):
        name = "steep"
        update = TanhRNN.update.replace("tanh(a)", "tanh(SLOPE*a)")

    assert "SLOPE" in Steep.update
    with pytest.raises(
        InvalidValue, match=r"Steep\.equations: expected names .* parameters\(\) gives, got SLOPE"
    ):
        training(model=Steep(hidden=5))


def test_a_compiler_that_does_not_run(monkeypatch):
    compiler.find_compiler.cache_clear()
    try:
        usual = compiler.find_compiler()
        if usual is None:
            pytest.skip("no compiler here")
        compiler.find_compiler.cache_clear()
        monkeypatch.setenv("CXX", "no-such-compiler")
        with pytest.warns(UserWarning, match="CXX=no-such-compiler is no C"):
            assert compiler.find_compiler() is not None
    finally:
        monkeypatch.undo()
        compiler.find_compiler.cache_clear()


def test_brian2_does_not_ask_to_report_our_errors():
    script = "import neuroanp as nap; nap.tasks.CopyingMemory(length=-1)"
    done = subprocess.run([sys.executable, "-c", script], env=environment(), capture_output=True, text=True)
    assert "CopyingMemory.length: expected a whole number" in done.stderr.splitlines()[-1]
    assert "unexpected error" not in done.stderr
