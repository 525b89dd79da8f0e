"""What a training run returns: how good it is, how it got there, and what it can be repeated from."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroanp import storage as checkpoint
from neuroanp.errors import InvalidValue
from neuroanp.types import Array

if TYPE_CHECKING:
    from neuroanp.plotting.run import RunFigure
from neuroanp.training.result import RESULT_KEYS, sentence


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run. Printed, it is a sentence that says how good the run is.

    Attributes
    ----------
    config : dict
        Settings, as `neuroanp.config.document.describe` gives them; enough to repeat the run.
    result : dict
        ``task, model, rule, engine, seed, updates, trials, seconds, train_loss, test_loss, score, score_name,
        trivial, trivial_scores, beats_trivial, rate`` (Hz, of spiking cells); None where nothing was
        measured. ``trivial`` has losses; ``trivial_scores`` has something where scores are compared instead.
    history : dict of arrays
        ``update``, ``loss`` and others of their length; where the run was tested on its way also
        ``test_update``, ``test_loss``, ``test_score`` and ``test_correlation`` (mean squared correlation of
        two hidden traces) of theirs.
    weights : dict of arrays
        ``W_in`` (N, n_in), ``W_rec`` (N, N), ``W_out`` (n_out, N), and what else was learned. Where not all
        recurrent synapses exist, ``W_rec`` is a vector of those that do, and the arrays of their `Wiring` are
        here too.
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
        checkpoint.check_folder(folder)
        with checkpoint.new_folder(folder) as draft:
            config = self.config | {"higher_is_better": self.higher_is_better}
            checkpoint.write_json(draft / "config.json", config)
            checkpoint.write_json(draft / "result.json", self.result)
            checkpoint.write_history(draft / "history.csv", self.history)
            checkpoint.write_arrays(draft / "weights.npz", self.weights)
            if self.example is not None:
                checkpoint.write_arrays(draft / "example.npz", self.example)
            self.plot().savefig(draft / "figure.png", dpi=130)
        return Path(folder)

    @classmethod
    def load(cls, folder: Path | str) -> Run:
        """The run that `save` wrote; `DataError` for a folder that isn't one."""
        folder = Path(folder)
        config = checkpoint.read_json(folder / "config.json")
        example = folder / "example.npz"
        return cls(
            higher_is_better=config.pop("higher_is_better", True),
            config=config,
            result=checkpoint.read_json(folder / "result.json"),
            history=checkpoint.read_history(folder / "history.csv"),
            weights=checkpoint.read_arrays(folder / "weights.npz"),
            example=checkpoint.read_arrays(example) if example.exists() else None,
        )
