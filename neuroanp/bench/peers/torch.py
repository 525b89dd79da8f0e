"""Recurrent LIF cells in libraries built on PyTorch: functions that run a trial forward.

Each takes its input product for all steps at once where it can, keeps the spikes and has no readout.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable
from typing import Any

import numpy as np

from neuroanp.types import Array

Forward = Callable[[], Any]

#: Membrane time constant in steps.
TAU = 20.0


class Absent(ImportError):
    """A library that can't be used here, and why."""


def forward(package: str, hidden: int, inputs: Array) -> Forward:
    """A function that runs one trial, without gradients, and returns the spikes (T, L, N).

    Parameters
    ----------
    package : str
        A name of `PEERS`.
    hidden : int
    inputs : (T, L, n_in) array of float32

    Raises
    ------
    Absent
        Where the library or PyTorch is not installed or can't be imported.
    """
    for name in ("torch", package):
        if importlib.util.find_spec(name) is None:
            raise Absent(f"not installed: pip install {name}")
    try:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)
        torch.manual_seed(0)
        run = PEERS[package](torch, hidden, torch.from_numpy(inputs))
    except ImportError as error:
        raise Absent(f"can't be imported: {error}") from None

    def without_gradients() -> Any:
        with torch.inference_mode():
            return run()

    return without_gradients


def _snntorch(torch: Any, hidden: int, inputs: Any) -> Forward:
    snntorch = importlib.import_module("snntorch")
    feed = torch.nn.Linear(inputs.shape[2], hidden)
    cells = snntorch.RLeaky(beta=float(np.exp(-1 / TAU)), linear_features=hidden, all_to_all=True)

    def run() -> Any:
        spikes, potential = cells.init_rleaky()
        trace = []
        for current in feed(inputs):
            spikes, potential = cells(current, spikes, potential)
            trace.append(spikes)
        return torch.stack(trace)

    return run


def _norse(torch: Any, hidden: int, inputs: Any) -> Forward:
    norse = importlib.import_module("norse.torch")
    cells = norse.LIFRecurrent(inputs.shape[2], hidden)
    return lambda: cells(inputs)[0]


def _spikingjelly(torch: Any, hidden: int, inputs: Any) -> Forward:
    base = "spikingjelly.activation_based"
    neuron, layer, functional = (
        importlib.import_module(f"{base}.{name}") for name in ("neuron", "layer", "functional")
    )
    feed = torch.nn.Linear(inputs.shape[2], hidden)
    cells = layer.LinearRecurrentContainer(neuron.LIFNode(tau=TAU), hidden, hidden, step_mode="m")

    def run() -> Any:
        functional.reset_net(cells)
        return cells(feed(inputs))

    return run


PEERS: dict[str, Callable[[Any, int, Any], Forward]] = {
    "snntorch": _snntorch,
    "norse": _norse,
    "spikingjelly": _spikingjelly,
}
