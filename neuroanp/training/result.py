"""Result of a run, and the sentence that says how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

RESULT_KEYS = (
    "task", "model", "rule", "engine", "seed", "updates", "trials", "seconds", "train_loss", "test_loss",
    "score", "score_name", "trivial", "trivial_scores", "beats_trivial", "rate",
    "silent", "saturated",
)  # fmt: skip

NOTABLE = 0.05
"""Part of the cells, silent or saturated, from which on the sentence tells of them."""


def sentence(
    result: Mapping[str, Any],
    asked: int | None = None,
    higher_is_better: bool = True,
    device: str | None = None,
) -> str:
    """Sentence that compares a result with the trivial predictors.

    Parameters
    ----------
    result : mapping
        As in `Run.result`.
    asked : int, optional
        Updates that the run should have made.
    higher_is_better : bool
        Direction of the score.
    device : str, optional
        Name of the substrate that was tested.
    """
    task = result["task"] if device is None else f"{result['task']} on {device}"
    updates, loss, score = result["updates"], result["test_loss"], result["score"]
    work = f"{updates:,} updates in {result['seconds']:.1f} s"
    if result["rate"] is not None:
        work = f"cells fire at {result['rate']:.3g} Hz{_stray(result)}; {work}"
    if asked is not None and updates < asked:
        work = f"stopped after {updates:,} of {asked:,} updates, {result['seconds']:.1f} s"
    if loss is None or not np.isfinite(loss):
        train = result["train_loss"]
        last = "" if train is None or not np.isfinite(train) else f", last training loss {train:.3g}"
        return f"{task}: not tested on unseen trials{last}; {work}."
    measured = f"test loss {loss:.3g}"
    ratio = loss / min(result["trivial"].values(), default=np.nan)
    if score is not None and np.isfinite(score) and not np.isclose(score, ratio):
        measured = f"{result['score_name']} {score:.3g}, {measured}"
    if result["trivial_scores"]:
        comparison = _comparison_of_scores(
            result["trivial_scores"], result["beats_trivial"], higher_is_better
        )
    else:
        comparison = _comparison(loss, result["trivial"])
    failed = result["trivial"] and not result["beats_trivial"]
    verdict = " did not learn more than a trivial predictor:" if failed else ""
    return f"{task}:{verdict} {measured} on unseen trials, {comparison}; {work}."


def _stray(result: Mapping[str, Any]) -> str:
    """Cells that never fire, or too much to tell anything by it, where they are many."""
    ways = {"silent": "never", "saturated": "at more than half of their highest rate"}
    parts = {how: result[name] or 0.0 for name, how in ways.items()}
    return "".join(f", {100 * part:.0f} % {how}" for how, part in parts.items() if part > NOTABLE)


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
