"""Part "spiking": a trial of recurrent LIF cells, forward, beside libraries built on PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from brian2 import ms
from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.peers.torch import PEERS, Absent, forward
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.models import LIF
from neuroanp.network.network import Network

CELLS, STEPS, DTYPE = (100, 500), 200, "float32"


def rows(quick: bool) -> Iterator[Row]:
    """A row for each size and library."""
    for lanes in (1,) if quick else (1, 32):
        for cells in CELLS:
            yield from one_size(cells, lanes, 1.0 if quick else 6.0)


def one_size(cells: int, lanes: int, seconds: float) -> Iterator[Row]:
    """The rows of so many cells, measured for about so many seconds together."""
    trial = ours.copying(STEPS, lanes)
    model = LIF(hidden=cells)
    network = Network(
        model,
        trial.inputs.shape[2],
        trial.targets.shape[2],
        1 * ms,
        lanes=lanes,
        engine="compiled",
        dtype=DTYPE,
    )
    network.load(model.initial_weights(ours.generator(), network.n_in, network.n_out))
    labels: dict[str, Any] = {
        "part": "spiking",
        "size": ours.size(cells, lanes, DTYPE, trial.steps, unit="LIF cells"),
    }
    inputs = ours.arrays(trial, DTYPE)[0]
    functions: dict[str, Callable[[], Any]] = {"ours": lambda: network.run(trial)}
    for package in PEERS:
        try:
            functions[package] = forward(package, cells, inputs)
        except Absent as error:
            yield Row(what=package, note=str(error), **labels)
    if len(functions) > 1:
        with threadpool_limits(1):
            samples = interleaved(functions, seconds)
        for package in [name for name in functions if name != "ours"]:
            yield compared(samples, "ours", package, what=package, **labels)
