"""Part "spiking-training": a node-perturbation update of LIF cells, beside the surrogate gradient in JAX.

Beside it are the gradient written out by hand, the stronger peer, which counts; the same with Adam; what
`BPTT` renders from the model's equations and JAX differentiates; and the trial alone, forward.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.peers.jax_spiking import JaxSpikes
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.errors import MissingExtra
from neuroanp.gradients import BPTT
from neuroanp.gradients._jax import precision
from neuroanp.models import LIF
from neuroanp.tasks import PatternGeneration
from neuroanp.training.loop import Trainer

CELLS, LANES, DTYPES = 100, 32, ("float32", "float64")
GRADIENT = "JAX surrogate gradient, written out"
RENDERED = "BPTT's surrogate gradient, differentiated by JAX"
UPDATE = f"{GRADIENT}, and Adam"
FORWARD = "a trial forward, JAX"
LIMIT = 0.3


def rows(quick: bool) -> Iterator[Row]:
    """The rows of each precision."""
    for dtype in DTYPES[:1] if quick else DTYPES:
        yield from one_precision(dtype, CELLS, LANES, 3.0 if quick else 30.0)


def one_precision(dtype: str, cells: int, lanes: int, seconds: float) -> Iterator[Row]:
    """The rows of one precision, measured for about so many seconds together."""
    task = PatternGeneration()
    recipe = task.recipe("node").replace(model=LIF(hidden=cells, input_gain=2.0), lanes=lanes)
    trainer = Trainer(task, recipe, engine="compiled", dtype=dtype, tests=0, threads=1)
    trial = trainer.trial(0)
    size = ours.size(cells, lanes, dtype, trial.steps, "LIF cells")
    labels: dict[str, Any] = {"part": "spiking-training", "size": size}
    functions: dict[str, Callable[[], Any]] = {
        "ours": ours.stepping(trainer),
        "ours, forward": lambda: trainer.network.run(trial, sigma=0.0),
    }
    try:
        with threadpool_limits(1), precision(dtype):
            samples = interleaved(functions | peers(trainer, dtype), seconds)
    except MissingExtra as error:
        yield Row(what=GRADIENT, note=str(error), **labels)
        return
    for name in (GRADIENT, UPDATE, RENDERED):
        limit = LIMIT if name == GRADIENT and dtype == "float32" else None
        yield compared(samples, "ours", name, what=name, limit=limit, **labels)
    yield compared(samples, "ours, forward", FORWARD, what=FORWARD, **labels)


def peers(trainer: Trainer, dtype: str) -> dict[str, Callable[[], Any]]:
    """What JAX does with a trainer's network and first trial; to be called in its precision."""
    model, trial, network = trainer.recipe.model, trainer.trial(0), trainer.network
    cells: Any = model.cells(trainer.task.dt)
    update = JaxSpikes(
        cells, model.readout_memory(trainer.task.dt), model.initial_state()["v"], network.weights,
        *ours.arrays(trial, dtype), ours.LR,
    )  # fmt: skip
    record, rule = network.run(trial, sigma=0.0), BPTT()
    return {
        GRADIENT: update.gradient,
        UPDATE: update,
        RENDERED: lambda: rule.gradient(record),
        FORWARD: update.forward,
    }
