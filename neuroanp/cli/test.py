"""``neuroanp test``: a trained network on unseen trials."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroanp import storage
from neuroanp.cli.options import read_options
from neuroanp.cli.resume import run_folder
from neuroanp.config.option import SEEDS, option
from neuroanp.config.part import Part, options
from neuroanp.errors import InvalidValue

if TYPE_CHECKING:
    from neuroanp.training.run import Run

TEXT = "Loss and score of a trained network on unseen trials, beside the trivial predictors."


class Test(Part):
    """Options of a test."""

    data: Path | None = option(None, "other data than the run's, where its task has some")
    seed: int | None = option(None, "seed of the unseen trials; the run's when left out", least=0, most=SEEDS)
    lanes: int = option(64, "trials side by side", least=1)
    json: bool = option(False, "print the result as JSON on one line")


def test_command(words: list[str]) -> int:
    """Test that the words after ``neuroanp test`` ask for; returns the exit code."""
    folder, words = run_folder("test", words)
    asked = read_options("neuroanp test RUN", Test(), words, TEXT)
    from neuroanp.training.result import sentence
    from neuroanp.training.run import Run

    run = Run.load(folder)
    result = tested(run, asked)
    print(
        storage.json_line(result) if asked.json else sentence(result, None, run.higher_is_better, run.device)
    )
    return 0


def tested(run: Run, asked: Test) -> dict[str, Any]:
    """Result of a run's network on unseen trials, by the names of `Run.result`."""
    from neuroanp.training.evaluation import evaluate, judge
    from neuroanp.training.seeds import Seeds

    task = run.task
    if asked.data is not None:
        if "data" not in options(type(task)):
            raise InvalidValue("--data", "a run of a task with data", task.name)
        task = task.replace(data=str(asked.data.absolute()))
    seed = int(run.config.get("seed", 0)) if asked.seed is None else asked.seed
    trial = task.evaluation(Seeds(seed).evaluation)
    evaluation = evaluate(run.network(min(asked.lanes, trial.lanes)), task, trial)
    return run.result | judge(task, evaluation, [])
