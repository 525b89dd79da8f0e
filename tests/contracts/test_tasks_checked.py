"""Every task that is offered passes `check_task`, at its defaults, but for the longest, and in variants."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from brian2 import ms

from neuroanp.config import registry
from neuroanp.tasks import CopyingMemory, Digits, MackeyGlass, SpikingDigits
from neuroanp.testing import check_task
from support.event_files import camera_folder, spoken_folder

# what repeats: short sequences come again, a pattern is one for ever
REPEATS = {
    "copying-memory": {"held_out": False},
    "pattern-generation": {"varies": False, "held_out": False},
}


@pytest.fixture
def trial_file(tmp_path: Path) -> Path:
    """A file of made-up trials."""
    inputs = np.random.default_rng(5).standard_normal((400, 12, 2))
    np.savez(tmp_path / "trials.npz", inputs=inputs, targets=(inputs.sum(axis=(1, 2)) > 0).astype(int))
    return tmp_path / "trials.npz"


@pytest.mark.parametrize("name", registry.classes("task"))
def test_each_that_is_offered_passes_its_check(
    name: str, small_file: Callable[..., Path], trial_file: Path, tmp_path: Path
) -> None:
    shorter = {"cue-accumulation": {"cues": 3}, "store-recall": {"between": 0}}
    options = shorter.get(name, {})
    if name == "weather":
        options = {"data": str(small_file()), "train_hours": 400}
    if name == "series":
        options = {"data": str(small_file()), "targets": ("WindSpeed",), "time": "date"}
        options |= {"time_format": "%m/%d/%Y %H:%M", "inputs": ("WindSpeed", "Altimeter"), "washout": 20}
    if name == "trial-arrays":
        options = {"data": str(trial_file)}
    if name == "spoken-digits":
        options = {"data": str(spoken_folder(tmp_path)), "dataset": "own", "duration": 100 * ms, "pool": 70}
    if name == "n-mnist":
        options = {"data": str(camera_folder(tmp_path)), "duration": 40 * ms}
    task = registry.find("task", name)(**options)
    if task.plant is not None:
        pytest.skip("check_task judges trials that are given; in a closed loop they come about")
    check_task(task, **REPEATS.get(name, {}))


@pytest.mark.parametrize(
    "task",
    [
        MackeyGlass(direction="recall"),
        MackeyGlass(carry=True, window=30),
        MackeyGlass(carry=True, window=1),
        CopyingMemory(length=12),
        Digits(step="pixel", decision=3),
        SpikingDigits(step="pixel", row=2 * ms),
    ],
    ids=str,
)
def test_a_variant_passes_its_check(task: object) -> None:
    check_task(task)


def test_one_sequence_for_ever_passes_its_check() -> None:
    check_task(CopyingMemory(fresh=False), varies=False, held_out=False)
