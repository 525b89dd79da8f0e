"""What a training run returns: how good it is, how it got there, and what it can be repeated from."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from neuroanp import checkpoint
from neuroanp.errors import InvalidValue

if TYPE_CHECKING:
    from neuroanp.plotting import RunFigure

Array = NDArray[Any]

RESULT_KEYS = (
    "task", "model", "rule", "engine", "seed", "updates", "trials", "seconds", "train_loss", "test_loss",
    "score", "score_name", "trivial", "trivial_scores", "beats_trivial", "rate",
)  # fmt: skip


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Run:
    """One training run. Printed, it is a sentence that says how good the run is.

    Attributes
    ----------
    config : dict
        Settings, as `neuroanp.config.describe` gives them; enough to repeat the run.
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
        return sentence(self.result, self.config.get("updates"), self.higher_is_better)

    def plot(self) -> RunFigure:
        """Matplotlib figure: loss over updates with the trivial levels, and network over target."""
        from neuroanp.plotting import figure

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


def sentence(result: Mapping[str, Any], asked: int | None = None, higher_is_better: bool = True) -> str:
    """How good a result is against the trivial predictors, in words.

    Parameters
    ----------
    result : mapping
        As in `Run.result`.
    asked : int, optional
        Updates that the run should have made.
    higher_is_better : bool
        Direction of the score.
    """
    updates, loss, score = result["updates"], result["test_loss"], result["score"]
    work = f"{updates:,} updates in {result['seconds']:.1f} s"
    if result["rate"] is not None:
        work = f"cells fire at {result['rate']:.3g} Hz; {work}"
    if asked is not None and updates < asked:
        work = f"stopped after {updates:,} of {asked:,} updates, {result['seconds']:.1f} s"
    if loss is None or not np.isfinite(loss):
        train = result["train_loss"]
        last = "" if train is None or not np.isfinite(train) else f", last training loss {train:.3g}"
        return f"{result['task']}: not tested on unseen trials{last}; {work}."
    measured = f"test loss {loss:.3g}"
    ratio = loss / min(result["trivial"].values(), default=np.nan)
    if score is not None and np.isfinite(score) and not np.isclose(score, ratio):
        measured = f"{result['score_name']} {score:.3g}, {measured}"
    if result["trivial_scores"]:
        compared = _comparison_of_scores(result["trivial_scores"], result["beats_trivial"], higher_is_better)
    else:
        compared = _comparison(loss, result["trivial"])
    if not result["trivial"] or result["beats_trivial"]:
        return f"{result['task']}: {measured} on unseen trials, {compared}; {work}."
    failed = f"{result['task']}: did not learn more than a trivial predictor"
    return f"{failed}: {measured} on unseen trials, {compared}; {work}."


def _comparison(loss: float, trivial: Mapping[str, float]) -> str:
    if not trivial:
        return "with no trivial predictor to compare with"
    name = min(trivial, key=lambda key: trivial[key])
    best = f"the best trivial predictor ({name}, {trivial[name]:.3g})"
    if loss >= trivial[name]:
        beaten = [f"{key} ({value:.3g})" for key, value in trivial.items() if loss < value]
        return f"no better than {best}" + (f", though better than {', '.join(beaten)}" if beaten else "")
    factor = trivial[name] / loss if loss > 0 else np.inf
    if factor < 2:
        return f"{100 * (1 - loss / trivial[name]):.2g} % below {best}"
    return f"{factor:.3g} times lower than {best}" if factor < 1e6 else f"far below {best}"


def _comparison_of_scores(trivial: Mapping[str, float], beats: bool, higher_is_better: bool) -> str:
    sign = 1 if higher_is_better else -1
    name = max(trivial, key=lambda key: sign * trivial[key])
    return (
        f"{'better' if beats else 'no better'} than the best trivial predictor ({name}, {trivial[name]:.3g})"
    )
