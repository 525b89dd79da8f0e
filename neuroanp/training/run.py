"""`Run`: result, history, weights and settings of a training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from brian2 import second

from neuroanp import storage
from neuroanp.config import document
from neuroanp.errors import DataError, InvalidValue
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.network.plant import Plant
from neuroanp.training import run_files
from neuroanp.training.result import RESULT_KEYS, sentence
from neuroanp.training.run_files import CONFIG, RESULT
from neuroanp.training.seeds import Seeds
from neuroanp.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from neuroanp.plotting.run import RunFigure
    from neuroanp.training.recipe import Recipe
    from neuroanp.training.recording import Recording
    from neuroanp.training.task import Task


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run. Printed, it is a sentence that compares it with the trivial predictors.

    Attributes
    ----------
    config : dict
        Settings, as `neuroanp.config.document.describe` gives them; enough to repeat the run.
    result : dict
        ``task, model, rule, engine, seed, updates, trials, seconds, train_loss, test_loss, score, score_name,
        trivial, trivial_scores, beats_trivial``, and of spiking cells ``rate`` (Hz), ``silent`` and
        ``saturated`` (parts of the cells, see `Evaluation`); None where nothing was measured. ``trivial`` has
        losses; ``trivial_scores`` is empty unless scores are compared instead.
    history : dict of arrays
        ``update``, ``loss`` and others of their length; of evaluations ``test_update``, ``test_loss``,
        ``test_score`` and ``test_correlation`` (mean squared correlation of two hidden traces).
    weights : dict of arrays
        ``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N), and ``D_in``, ``D_hidden``. Of a `Wiring`,
        ``W_rec`` is the vector of its synapses, and its arrays are here too. On a substrate they are the
        host's; `network` writes them to the device.
    example : dict of arrays, optional
        One unseen trial: ``inputs`` (T, n_in), ``outputs`` (T, n_out), ``mask`` (T,), ``dt`` in seconds;
        ``targets`` (T, n_out), or in closed loop the names of the ``observations``; of spiking cells
        ``spikes`` (T, N).
    higher_is_better : bool
        Direction of the score.
    settings : tuple, optional
        Task and recipe, if they are at hand; `task` and `recipe` form them of `config` else.

    Raises
    ------
    InvalidValue
        For a result with other keys, and a history without ``update`` and ``loss``.
    """

    config: dict[str, Any]
    result: dict[str, Any]
    history: dict[str, Array]
    weights: dict[str, Array]
    example: dict[str, Array] | None = None
    higher_is_better: bool = True
    settings: tuple[Task, Recipe] | None = None

    def __post_init__(self) -> None:
        if set(self.result) != set(RESULT_KEYS):
            raise InvalidValue("Run.result", f"the keys {', '.join(RESULT_KEYS)}", ", ".join(self.result))
        lengths = {name: len(self.history.get(name, ())) for name in ("update", "loss")}
        if not set(lengths) <= set(self.history) or len(set(lengths.values())) != 1:
            raise InvalidValue("Run.history", "update and loss, of one length", ", ".join(self.history))

    def __repr__(self) -> str:
        asked = self.config.get("recipe", {}).get("updates")
        return sentence(self.result, asked, self.higher_is_better, self.device)

    def _repr_html_(self) -> str:
        from neuroanp.training.display import run_html

        return run_html(self)

    @property
    def task(self) -> Task:
        """Task that the network was trained on; `DataError` where the folder can't hold it."""
        from neuroanp.training.task import Task

        task: Task = self.settings[0] if self.settings else self._restored("task", Task)
        return task

    @property
    def recipe(self) -> Recipe:
        """Settings that it was trained with; `DataError` where the folder can't hold them."""
        from neuroanp.training.recipe import Recipe

        recipe: Recipe = self.settings[1] if self.settings else self._restored("recipe", Recipe)
        return recipe

    @property
    def device(self) -> str | None:
        """Name of the substrate's class, where the network runs on one."""
        substrate = self.config.get("recipe", {}).get("substrate")
        return str(substrate.get("class")).rpartition(":")[2] if isinstance(substrate, dict) else None

    def _restored(self, name: str, kind: type[Any]) -> Any:
        part = document.restore({name: self.config.get(name)})[name]
        if not isinstance(part, kind):
            raise DataError(f"{CONFIG}: expected {name} to be a {kind.__name__}, got {part!r}")
        return part

    def network(self, lanes: int = 1, *, engine: str = "auto", recorded: tuple[str, ...] = ()) -> Network:
        """Network with the trained weights, ready to run trials of `lanes` lanes.

        Cells that were trained with noise of their own (`Perturbation.lasting`) have it here too.

        Parameters
        ----------
        lanes : int
        engine : {"auto", "compiled", "runtime"}
        recorded : tuple of str
            Hidden variables for `Record.hidden`, by role or by their own names.

        Raises
        ------
        DataError
            For a model, or a task in closed loop, that the folder can't hold.
        """
        model = self.recipe.model
        n_out, n_in = len(self.weights["W_out"]), self.weights["W_in"].shape[1] - model.bias
        dt, plant, loss = self._world()
        noise = self.recipe.rule.perturbation
        own = noise.replace(readout=False, recorded=recorded)
        network = Network(
            self.recipe.deployed(n_in, n_out, dt), n_in, n_out, dt, lanes=lanes,
            passes=("plus",) if noise.lasting else ("clean",),
            perturbation=own if noise.lasting else Perturbation(recorded=recorded),
            seed=Seeds(int(self.config.get("seed", 0))).noise, engine=engine,
            dtype=str(self.config.get("dtype", "float64")), plant=plant, loss=loss,
        )  # fmt: skip
        network.load(self.weights)
        return network

    def _world(self) -> tuple[Any, Plant | None, str | None]:
        """Length of a step, plant and loss: of the task, or of a task with arrays those that all have."""
        example = self.example or {}
        try:
            return self.task.dt, self.task.plant, self.task.loss
        except DataError:
            if "targets" not in example:
                raise
            return float(example["dt"]) * second, None, None

    def predict(self, inputs: Any) -> Array:
        """Outputs (T, L, n_out) for inputs (T, L, n_in), each lane from rest, without noise of a rule.

        Raises
        ------
        InvalidValue
            For inputs of another shape or that aren't finite, and for a network that acts on a plant.
        """
        return self.record(inputs).outputs

    def record(self, inputs: Any, *variables: str) -> Recording:
        """`predict` with hidden variables: ``"spikes"``, ``"trace"``, a role, or the model's own names.

        Roles are ``"potential"``, ``"activity"`` and the like, see `Model`.

        Parameters
        ----------
        inputs : (T, L, n_in) array
        *variables : str

        Raises
        ------
        InvalidValue
            As `predict`, and for a variable that the model doesn't have.
        """
        from neuroanp.training.answer import answer

        return answer(self, inputs, variables)

    def plot(self) -> RunFigure:
        """Matplotlib figure: loss over updates with the trivial levels, and network over target."""
        from neuroanp.plotting.run import figure

        trivial, test_loss = self.result["trivial"], self.result["test_loss"]
        return figure(self.history, trivial, self.example, repr(self), self.result["score_name"], test_loss)

    def plot_loss(self, axes: Axes | None = None) -> Axes:
        """Matplotlib axes with the loss over updates."""
        from neuroanp.plotting.axes import plot_loss

        return plot_loss(self.history, axes)

    def save(self, folder: Path | str) -> Path:
        """Write the run folder, whole or not at all; returns its path.

        It holds ``config.json``, ``result.json``, ``history.csv``, ``weights.npz``, ``example.npz``
        and ``figure.png``.

        Raises
        ------
        InvalidValue
            If the folder has something in it, or nothing can be made there.
        SaveFailed
            If there is no room.
        """
        storage.check_folder(folder)
        with storage.new_folder(folder) as draft:
            self.write(draft)
        return Path(folder)

    def write(self, folder: Path, figure: bool = True) -> None:
        """Write the files of `save` into a folder, with or without the figure."""
        storage.write_json(folder / CONFIG, self.config | {"higher_is_better": self.higher_is_better})
        storage.write_json(folder / RESULT, self.result)
        storage.write_history(folder / "history.csv", self.history)
        storage.write_arrays(folder / "weights.npz", self.weights)
        if self.example is not None:
            storage.write_arrays(folder / "example.npz", self.example)
        if figure:
            self.plot().write_png(folder / "figure.png")

    @classmethod
    def load(cls, folder: Path | str) -> Run:
        """Run that `save` wrote; `DataError` for a folder that isn't one."""
        return cls(**run_files.read(Path(folder)))

    def to_pandas(self) -> Any:
        """History as a `pandas.DataFrame`, a row an update; blank where there was no evaluation.

        Raises
        ------
        MissingExtra
            Where pandas isn't installed.
        """
        from neuroanp.training.tables import history_frame

        return history_frame(self.history)

    def to_xarray(self) -> Any:
        """History as an `xarray.Dataset` over ``update`` and ``test_update``, with the result as attributes.

        Raises
        ------
        MissingExtra
            Where xarray isn't installed.
        """
        from neuroanp.training.tables import history_dataset

        return history_dataset(self.history, self.result)


def load(folder: Path | str) -> Run:
    """Run in a folder; see `Run.load`."""
    return Run.load(folder)
