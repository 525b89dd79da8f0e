"""`Run`: result, history, weights and settings of a training."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroanp import storage
from neuroanp.errors import InvalidValue
from neuroanp.training.result import RESULT_KEYS, sentence
from neuroanp.types import Array

if TYPE_CHECKING:
    from neuroanp.plotting.run import RunFigure


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run. Printed, it is a sentence that compares it with the trivial predictors.

    Attributes
    ----------
    config : dict
        Settings, as `neuroanp.config.document.describe` gives them; enough to repeat the run.
    result : dict
        ``task, model, rule, engine, seed, updates, trials, seconds, train_loss, test_loss, score, score_name,
        trivial, trivial_scores, beats_trivial, rate`` (Hz, of spiking cells); None where nothing was
        measured. ``trivial`` has losses; ``trivial_scores`` is empty unless scores are compared instead.
    history : dict of arrays
        ``update``, ``loss`` and others of their length; of evaluations ``test_update``, ``test_loss``,
        ``test_score`` and ``test_correlation`` (mean squared correlation of two hidden traces).
    weights : dict of arrays
        ``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N), and ``D_in``, ``D_hidden``. Of a `Wiring`,
        ``W_rec`` is the vector of its synapses, and its arrays are here too.
    example : dict of arrays, optional
        One unseen trial: ``inputs`` (T, n_in), ``outputs`` (T, n_out), ``mask`` (T,), ``dt`` in seconds;
        ``targets`` (T, n_out), or in closed loop the names of the ``observations``; of spiking cells
        ``spikes`` (T, N).
    higher_is_better : bool
        Direction of the score.

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

    def __post_init__(self) -> None:
        if set(self.result) != set(RESULT_KEYS):
            raise InvalidValue("Run.result", f"the keys {', '.join(RESULT_KEYS)}", ", ".join(self.result))
        lengths = {name: len(self.history.get(name, ())) for name in ("update", "loss")}
        if not set(lengths) <= set(self.history) or len(set(lengths.values())) != 1:
            raise InvalidValue("Run.history", "update and loss, of one length", ", ".join(self.history))

    def __repr__(self) -> str:
        return sentence(self.result, self.config.get("recipe", {}).get("updates"), self.higher_is_better)

    def plot(self) -> RunFigure:
        """Matplotlib figure: loss over updates with the trivial levels, and network over target."""
        from neuroanp.plotting.run import figure

        trivial, test_loss = self.result["trivial"], self.result["test_loss"]
        return figure(self.history, trivial, self.example, repr(self), self.result["score_name"], test_loss)

    def save(self, folder: Path | str) -> Path:
        """Write the run folder, whole or not at all; returns its path.

        It holds ``config.json``, ``result.json``, ``history.csv``, ``weights.npz``, ``example.npz``
        and ``figure.png``.

        Raises
        ------
        InvalidValue
            If the folder has something in it, or can't be written.
        """
        storage.check_folder(folder)
        with storage.new_folder(folder) as draft:
            config = self.config | {"higher_is_better": self.higher_is_better}
            storage.write_json(draft / "config.json", config)
            storage.write_json(draft / "result.json", self.result)
            storage.write_history(draft / "history.csv", self.history)
            storage.write_arrays(draft / "weights.npz", self.weights)
            if self.example is not None:
                storage.write_arrays(draft / "example.npz", self.example)
            self.plot().savefig(draft / "figure.png", dpi=130)
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Run:
        """Run that `save` wrote; `DataError` for a folder that isn't one."""
        folder = Path(folder)
        config = storage.read_json(folder / "config.json")
        example = folder / "example.npz"
        return cls(
            higher_is_better=config.pop("higher_is_better", True),
            config=config,
            result=storage.read_json(folder / "result.json"),
            history=storage.read_history(folder / "history.csv"),
            weights=storage.read_arrays(folder / "weights.npz"),
            example=storage.read_arrays(example) if example.exists() else None,
        )
