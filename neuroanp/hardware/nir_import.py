"""`import_nir`: a NIR graph as a network of ours, with its learning rule."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp import storage
from neuroanp.config import document
from neuroanp.errors import DataError, InvalidValue
from neuroanp.hardware._nir_graph import Found, found
from neuroanp.hardware.export.nir import ARRAYS, FORMAT, TEXT
from neuroanp.models import CurrentLIF
from neuroanp.network.model import Model
from neuroanp.network.network import Network
from neuroanp.optim import Stage
from neuroanp.reward import Modulator
from neuroanp.rules import Rule
from neuroanp.training.recipe import Recipe
from neuroanp.training.start import weights_of
from neuroanp.training.tables import required
from neuroanp.training.task import Task
from neuroanp.types import Array, Arrays

DAMAGED = (*storage.READING, OSError, AssertionError, AttributeError, LookupError)
"""Errors of nir and HDF5 with a file that is damaged, or none of theirs."""

ROUNDING = 32
"""Roundings between a network's numbers, a graph's and back."""

NOTHING_LEFT = 1000
"""Time constants in a step after which e^-t is 0 to the last bit."""


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Imported:
    """Network of a NIR graph, and what it learned by.

    Training goes on by ``nap.train(net.model, task, start=net.weights, rule=net.rule)``, or for a file of
    ours by ``nap.Trainer(net.task, net.recipe, start=net.weights)``.

    Parameters
    ----------
    model : Model
    weights : dict of arrays
        ``W_in`` (N, n_in), the bias last, ``W_rec`` (N, N), ``W_out`` (n_out, N), and of a decorrelated
        training ``D_in`` and ``D_hidden``.
    dt : Quantity
        Length of a step.
    recipe : Recipe or None
        Settings of the training; None where the graph has none.
    task : Task or None
        Task that it was trained on; None where the file can't hold it.
    seed : int
    learning : mapping
        The rule's statements, see `neuroanp.hardware.export.learning.described`; empty where the graph has
        none.
    """

    model: Model
    weights: Arrays
    dt: Any
    recipe: Recipe | None = None
    task: Task | None = None
    seed: int = 0
    learning: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def rule(self) -> Rule | None:
        """Rule that it was trained by."""
        return None if self.recipe is None else self.recipe.rule

    @property
    def modulator(self) -> Modulator | None:
        """Modulator of that rule."""
        return None if self.recipe is None else self.recipe.modulator

    @property
    def optimizer(self) -> Stage | None:
        """Optimizer of that rule."""
        return None if self.recipe is None else self.recipe.optimizer

    def network(self, lanes: int = 1, *, engine: str = "auto") -> Network:
        """Network with the weights, ready to run trials of `lanes` lanes."""
        n_out, n_in = len(self.weights["W_out"]), self.weights["W_in"].shape[1] - self.model.bias
        network = Network(self.model, n_in, n_out, self.dt, lanes=lanes, engine=engine)
        network.load(self.weights)
        return network


def import_nir(path: Path | str, *, dt: Any = None) -> Imported:
    """Network of a NIR graph, of ours or of the same form.

    The form is input, Affine or Linear, LIF, with a Linear or Affine from the LIF back to it or none, and
    from the LIF to the output nothing, a Linear, or a Linear and an LI. Cells have one time constant, start,
    leak and reset to 0. Their resistance and thresholds go into the weights. A step is Euler's, as in the
    simulators that read such graphs.

    Nothing in a file is executed: classes are looked up among those that are installed or imported.

    Parameters
    ----------
    path : Path or str
    dt : Quantity, optional
        Length of a step, which graphs of others don't have; of ours it is in the file.

    Raises
    ------
    InvalidValue
        For a graph that no network of ours equals, with what is not equal, and for a missing `dt`.
    DataError
        For a file that is missing, damaged or no NIR graph.
    MissingExtra
        Where nir isn't installed.
    """
    package = required("nir", "nir")
    try:
        graph = package.read(Path(path))
    except DAMAGED as error:
        raise DataError(f"{path}: expected a NIR graph ({error})") from None
    metadata = graph.metadata if isinstance(graph.metadata, dict) else {}
    text = metadata.get(TEXT)
    if not isinstance(text, str):
        numbers = found(package, graph, _length(dt))
        return Imported(model=_model(numbers, dt), weights=_weights(numbers), dt=dt)
    return _ours(Path(path), package, graph, storage.parse_json(str(path), text))


def _length(dt: Any) -> float:
    from brian2 import have_same_dimensions, second

    if dt is None or not have_same_dimensions(dt, second) or not float(dt) > 0:
        expected = "the length of a step, as 1*ms, which this graph doesn't have"
        raise InvalidValue("import_nir.dt", expected, dt)
    return float(dt)


def _ours(path: Path, package: Any, graph: Any, text: Mapping[str, Any]) -> Imported:
    from brian2 import second

    if not isinstance(text.get("format"), int) or text["format"] > FORMAT:
        raise DataError(f"{path}: expected metadata of format {FORMAT}, got {text.get('format')!r}")
    length = text.get("dt")
    if not isinstance(length, float) or not 0 < length < np.inf:
        raise DataError(f"{path}: expected dt in seconds, got {length!r}")
    try:
        recipe = document.restore({"recipe": text.get("recipe")})["recipe"]
    except DataError as error:
        raise DataError(f"{path}: {error}") from None
    if not isinstance(recipe, Recipe):
        raise DataError(f"{path}: expected a recipe, got {recipe!r}")
    dt, model = length * second, recipe.model
    numbers = found(package, graph, length)
    kept = _kept(graph.metadata.get(ARRAYS), model)
    weights = kept if kept and _is_theirs(kept, model, dt, numbers) else None
    if weights is None:
        if kept and numbers.W_out is None:
            plain, _ = weights_of(kept, model, decorrelated=False)
            memory = model.readout_memory(dt)
            numbers = dataclasses.replace(numbers, W_out=plain["W_out"], readout_memory=memory)
        model, weights = _model(numbers, dt, model), _weights(numbers)
        recipe = recipe.replace(model=model, decorrelation=None)
    seed, learning = text.get("seed", 0), text.get("learning", {})
    if not isinstance(seed, int) or not isinstance(learning, dict):
        raise DataError(
            f"{path}: expected a seed and the statements of a rule, got {seed!r} and {learning!r}"
        )
    return Imported(
        model=model, weights=weights, dt=dt, recipe=recipe, task=_task(text), seed=seed, learning=learning
    )


def _kept(kept: Any, model: Model) -> Arrays | None:
    """Weights as they were trained, among the metadata; None where they aren't there."""
    if not isinstance(kept, dict):
        return None
    cells, n_in, n_out = (
        model.hidden,
        np.shape(kept.get("W_in", ()))[-1:],
        np.shape(kept.get("W_out", ()))[:1],
    )
    shapes = {
        "W_in": (cells, *n_in), "W_rec": (cells, cells), "W_out": (*n_out, cells),
        "D_in": (*n_in, *n_in), "D_hidden": (cells, cells),
    }  # fmt: skip
    sound = all(
        isinstance(w, np.ndarray) and w.dtype.kind == "f" and w.shape == shapes.get(name)
        for name, w in kept.items()
    )
    return dict(kept) if sound and {"W_in", "W_rec", "W_out"} <= kept.keys() else None


def _is_theirs(kept: Arrays, model: Model, dt: Any, numbers: Found) -> bool:
    """True where a graph has these weights and that model still, and nobody has changed it."""
    cells, precision = model.cells(dt), numbers.precision
    if cells is None or (numbers.bias.any() and not model.bias):
        return False
    plain, _ = weights_of(kept, model, decorrelated=False)
    theirs = _weights(numbers, model.bias)
    pairs = [(np.array([numbers.memory]), np.array([cells.memory]))]
    pairs += [(theirs[name], plain[name]) for name in ("W_in", "W_rec")]
    if numbers.W_out is not None:
        pairs.append((np.array([numbers.readout_memory]), np.array([model.readout_memory(dt)])))
        pairs.append((theirs["W_out"], plain["W_out"]))
    return all(_alike(found, own, precision) for found, own in pairs)


def _alike(found: Array, kept: Array, precision: float) -> bool:
    """True for numbers that are the same but for rounding."""
    scale = float(np.abs(kept).max(initial=0))
    return found.shape == kept.shape and bool(
        np.allclose(found, kept, rtol=ROUNDING * precision, atol=precision**2 * scale)
    )


def _weights(numbers: Found, bias: bool = True) -> Arrays:
    """Weights as a network of ours has them."""
    cells = len(numbers.bias)
    columns = [numbers.W_in, numbers.bias[:, None]] if bias else [numbers.W_in]
    W_out = np.eye(cells) if numbers.W_out is None else numbers.W_out
    return {"W_in": np.concatenate(columns, axis=1), "W_rec": numbers.W_rec, "W_out": W_out}


def _model(numbers: Found, dt: Any, like: Model | None = None) -> Model:
    """Model of a graph's cells, with the other options of a model where there is one."""
    tau = dt / -np.log(numbers.memory)
    # without an LI nothing is left of the readout after a step
    tau_out = dt / -np.log(numbers.readout_memory) if numbers.readout_memory else dt / NOTHING_LEFT
    changes = {"hidden": len(numbers.bias), "tau": tau, "tau_out": tau_out, "bias": True}
    return CurrentLIF(**changes) if like is None else like.replace(**changes)


def _task(text: Mapping[str, Any]) -> Task | None:
    """Task of a file; None for one with arrays or functions in it, or of a class that isn't here."""
    try:
        task = document.restore({"task": text.get("task")})["task"]
    except DataError:
        return None
    return task if isinstance(task, Task) else None
