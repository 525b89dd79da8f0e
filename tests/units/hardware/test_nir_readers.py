"""Graphs of ours in norse and spikingjelly: the same spikes, all of them."""

import importlib
import types

import numpy as np
import pytest

from neuroanp.hardware import export
from neuroanp.models import CurrentLIF
from neuroanp.tasks import PatternGeneration
from neuroanp.training.train import train

torch = pytest.importorskip("torch", reason="torch is not installed")
nir = pytest.importorskip("nir", reason="nir is not installed")
pytestmark = pytest.mark.slow  # a minute


@pytest.fixture(scope="module")
def trained():
    """A run of 100 cells, its inputs (1000, n_in) and its spikes (1000, 100)."""
    run = train(CurrentLIF(input_gain=2.0), PatternGeneration(), lanes=16, updates=60, seed=1, progress=False)
    inputs = run.task.trial(np.random.default_rng(0), 1).inputs
    spikes = run.record(inputs, "spikes")["spikes"][:, 0]
    assert spikes.shape == (1000, 100) and 1000 < spikes.sum() < 10_000
    return types.SimpleNamespace(run=run, inputs=inputs[:, 0], spikes=spikes)


def reader(package, graph):
    """A module of torch that a package makes of a graph, for steps of 1 ms."""
    if package == "norse":
        return pytest.importorskip("norse", reason="norse is not installed").torch.from_nir(graph, dt=1e-3)
    pytest.importorskip("spikingjelly", reason="spikingjelly is not installed")
    exchange = importlib.import_module("spikingjelly.activation_based.nir_exchange")
    return exchange.import_from_nir(graph, dt=1e-3)


def spikes_of(module, inputs, dtype):
    """Spikes (T, N) of a module, step by step."""
    module, state, raster = module.to(dtype), None, []
    with torch.no_grad():
        for u in inputs:
            step = torch.tensor(u, dtype=dtype)[None]
            out = module(step) if state is None else module(step, state)
            z, state = out if isinstance(out, tuple) else (out, None)
            raster.append(z.numpy()[0] > 0)
    return np.array(raster)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("package", "dialect"), [
    ("norse", "r=1"), ("spikingjelly", "r=1"), ("spikingjelly", "r=tau/dt"),
])  # fmt: skip
def test_no_cell_step_differs(trained, tmp_path, package, dialect, dtype):
    path = export.nir(trained.run, tmp_path / "net.nir", dialect=dialect, dtype=dtype, readout=False)
    spikes = spikes_of(reader(package, nir.read(path)), trained.inputs, getattr(torch, dtype))
    assert np.count_nonzero(spikes != trained.spikes) == 0
    beside = np.load(f"{path}.readout.npz")
    y, outputs = np.zeros(1), []
    for z in spikes:
        y = beside["memory"] * y + beside["W_out"] @ z
        outputs.append(y)
    expected = trained.run.predict(trained.inputs[:, None])[:, 0]
    np.testing.assert_allclose(outputs, expected, atol=1e-9)
