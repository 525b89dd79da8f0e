"""`nir`: a trained network as a graph of the Neuromorphic Intermediate Representation, with its rule."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import numpy as np

from neuroanp import storage
from neuroanp.config import checks, document
from neuroanp.errors import DataError, InvalidValue
from neuroanp.hardware.export._nir_cells import DIALECTS, Constants, require_exact
from neuroanp.hardware.export.learning import described
from neuroanp.network.layout import DECORRELATING
from neuroanp.training.run import Run
from neuroanp.training.start import weights_of
from neuroanp.training.tables import required
from neuroanp.types import Array, Arrays

FORMAT = 1
TEXT, ARRAYS = "neuroanp", "neuroanp_weights"
"""Names in the metadata: settings as JSON, and the weights as they were trained."""


def nir(
    run: Run,
    path: Path | str,
    *,
    dialect: Literal["r=1", "r=tau/dt"] = "r=1",
    dtype: Literal["float32", "float64"] = "float32",
    readout: bool = True,
) -> Path:
    r"""Write a trained network as a NIR graph, and the numbers of its readout beside it.

    The graph is ``input`` -> ``w_in`` (Affine) -> ``lif`` (LIF) -> ``w_out`` (Linear) -> ``readout`` (LI) ->
    ``output``, and ``lif`` -> ``w_rec`` (Linear) -> ``lif``, an edge of one step. Cells have
    :math:`\tau = dt / (1 - \alpha)` with :math:`\alpha = e^{-dt / \tau_{ours}}`, so that one Euler step of
    length dt, which every simulator of such graphs makes, is the exact one. Its spikes are then those of
    the network, all of them.

    NIR leaves the length of a step to the reader, and readers disagree on where its factor dt / tau is. No
    file serves all:

    - ``"r=1"``: the factor is the reader's (norse, spikingjelly). snn-mlir makes cells without memory of it;
    - ``"r=tau/dt"``: it is in the weights (snn-mlir, spikingjelly). norse drops r and no cell spikes.

    `spikingjelly` and `snntorch` refuse an LI, and norse leaves it out without a word: for them write no
    readout, and form the outputs of the spikes with the arrays in ``FILE.readout.npz``:
    ``y = memory * y + W_out @ spikes`` at each step.

    The metadata of the graph have all that learning goes on from: ``neuroanp``, a JSON text with ``dt`` in
    seconds, the readout's memory, task, recipe and the rule's statements (see `described`), and
    ``neuroanp_weights``, the weights as they were trained. `import_nir` reads them; other readers ignore
    them.

    Parameters
    ----------
    run : Run
        Of `CurrentLIF` cells.
    path : Path or str
        File to write, a name that ends in ``.nir`` as usual.
    dialect : str
        ``"r=1"`` or ``"r=tau/dt"``.
    dtype : str
        Of the graph's arrays: ``"float32"``, as most readers compute, or ``"float64"``.
    readout : bool
        False ends the graph at the spikes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    InvalidValue
        For a network of which no graph has the same spikes, with all reasons, for a precision in which the
        run's example has other spikes, and for other options; nothing is written.
    MissingExtra
        Where nir isn't installed.
    SaveFailed
        If the files can't be written.

    References
    ----------
    Pedersen et al., Nature Communications 15, 8122 (2024).
    """
    checks.instance("export.nir.run", run, Run)
    for name, value, known in (("dialect", dialect, DIALECTS), ("dtype", dtype, ("float32", "float64"))):
        if value not in known:
            raise InvalidValue(f"export.nir.{name}", " or ".join(known), value)
    path, model = Path(path), run.recipe.model
    dt = length_of_step(run)
    if run.recipe.substrate is not None:
        expected = "a run without a substrate, whose cells and weights no graph has"
        raise InvalidValue("export.nir.run", expected, run.recipe.substrate)
    require_exact(model, dt)
    package = required("nir", "nir")
    constants = Constants.of(model, dt, dialect)
    folded, _ = weights_of(run, model, decorrelated=False)
    arrays = constants.graph(folded)
    _require_same_spikes(run, constants, arrays, dtype)
    graph = _graph(package, constants, arrays, np.dtype(dtype), model.bias, readout)
    graph.metadata = _metadata(run, dt, constants, readout)
    require_place("export.nir.path", path)
    beside = {"W_out": folded["W_out"], "memory": np.array(constants.kappa), "dt": np.array(float(dt))}
    with storage.replaced(path.with_name(f"{path.name}.readout.npz")) as draft:
        storage.write_arrays(draft, beside)
    with storage.replaced(path) as draft:
        package.write(draft, graph)
    return path


def require_place(where: str, path: Path) -> None:
    """Raise `InvalidValue`, which names `where`, for a folder and for a file whose folder can't be made."""
    if path.is_dir():
        raise InvalidValue(where, "a file", f"the folder {path}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InvalidValue(where, "a place that can be written", f"{path}: {error}") from None


def length_of_step(run: Run) -> Any:
    """Length of a step of a run, of its task or, of a task that its folder can't hold, of its example."""
    from brian2 import second

    try:
        return run.task.dt
    except DataError:
        if run.example is None:
            raise
        return float(run.example["dt"]) * second


def _graph(
    package: Any, constants: Constants, arrays: Arrays, dtype: np.dtype[Any], bias: bool, readout: bool
) -> Any:
    numbers = {name: values.astype(dtype) for name, values in arrays.items()}
    W_in, cells, outputs = numbers["W_in"], len(numbers["W_rec"]), len(numbers["W_out"])
    n_in = W_in.shape[1] - bias

    def each(size: int, value: float) -> Array:
        return np.full(size, value, dtype)

    nodes = {
        "input": package.Input(input_type={"input": np.array([n_in])}),
        "w_in": package.Affine(weight=W_in[:, :n_in], bias=W_in[:, n_in] if bias else each(cells, 0)),
        "lif": package.LIF(
            tau=each(cells, constants.tau), r=each(cells, constants.r), v_leak=each(cells, 0),
            v_threshold=each(cells, 1), v_reset=each(cells, 0),
        ),
        "w_rec": package.Linear(weight=numbers["W_rec"]),
    }  # fmt: skip
    edges = [("input", "w_in"), ("w_in", "lif"), ("lif", "w_rec"), ("w_rec", "lif")]
    if readout:
        nodes["w_out"] = package.Linear(weight=numbers["W_out"])
        nodes["readout"] = package.LI(
            tau=each(outputs, constants.tau_out), r=each(outputs, constants.r_out), v_leak=each(outputs, 0)
        )
        edges += [("lif", "w_out"), ("w_out", "readout")]
    size = outputs if readout else cells
    nodes["output"] = package.Output(output_type={"output": np.array([size])})
    edges.append(("readout" if readout else "lif", "output"))
    return package.NIRGraph(nodes=nodes, edges=edges)


def _metadata(run: Run, dt: Any, constants: Constants, readout: bool) -> dict[str, Any]:
    keys = ("task", "recipe", "seed", "dtype")
    text = {name: run.config[name] for name in keys if name in run.config} | {
        "format": FORMAT, "dt": float(dt), "dialect": constants.dialect, "readout": readout,
        "readout_memory": constants.kappa, "learning": described(run.recipe),
    }  # fmt: skip
    written_by = document.describe()
    kept = {name: w for name, w in run.weights.items() if name in ("W_in", "W_rec", "W_out", *DECORRELATING)}
    return {TEXT: storage.json_line(written_by | text), ARRAYS: kept}


def _require_same_spikes(run: Run, constants: Constants, arrays: Arrays, dtype: str) -> None:
    """Refuse a precision in which the run's example has other spikes than in float64."""
    if run.example is None:
        return
    inputs = run.example["inputs"]
    if run.recipe.model.bias:
        inputs = np.pad(inputs, ((0, 0), (0, 1)), constant_values=1)
    exact, coarse = (constants.spikes(arrays, inputs, np.dtype(kind)) for kind in ("float64", dtype))
    if differ := np.count_nonzero(exact != coarse):
        got = f"{dtype}, in which {differ} of {exact.size} cell-steps of the run's example have other spikes"
        raise InvalidValue("export.nir.dtype", "float64", got)
