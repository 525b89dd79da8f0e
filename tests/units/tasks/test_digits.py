"""Sequential digits: what a step shows, when it counts, trivial levels, MNIST files."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from neuroanp.errors import DataError, InvalidValue
from neuroanp.tasks import Digits, SpikingDigits
from neuroanp.training.task import loss


def _mnist(path: Path, **changes: np.ndarray) -> str:
    rng = np.random.default_rng(2)
    arrays = {
        "x_train": rng.integers(256, size=(30, 28, 28), dtype=np.uint8),
        "y_train": np.arange(30, dtype=np.uint8) % 10,
        "x_test": rng.integers(256, size=(12, 28, 28), dtype=np.uint8),
        "y_test": np.arange(12, dtype=np.uint8) % 10,
    } | changes
    np.savez(path, **{name: value for name, value in arrays.items() if value is not None})
    return str(path)


@pytest.mark.parametrize(("step", "shape"), [("row", (8, 397, 8)), ("pixel", (64, 397, 1))])
def test_steps_show_an_image_from_its_top_left(step: str, shape: tuple, rng: np.random.Generator) -> None:
    task = Digits(step=step)
    trial = task.evaluation(rng)
    assert trial.inputs.shape == shape
    assert task.n_in == shape[2]
    shown = trial.inputs.swapaxes(0, 1).reshape(397, 8, 8) * 16
    bundled = load_digits()
    for lane in (0, 200, 396):
        found = np.flatnonzero((bundled.images == shown[lane]).all(axis=(1, 2)))
        assert trial.targets[-1, lane].argmax() in bundled.target[found]


def test_training_and_held_out_images_are_different_ones() -> None:
    images = Digits().images
    train, test = ({image.tobytes() for image in part} for part in (images.train, images.test))
    assert len(images.train) == 1400
    assert len(images.test) == 397
    assert not train & test


def test_trials_draw_from_the_training_part(rng: np.random.Generator) -> None:
    task = Digits()
    images = task.images
    known = {image.tobytes(): digit for image, digit in zip(images.train, images.train_digits, strict=True)}
    trial = task.trial(rng, 300)
    shown = [np.ascontiguousarray(lane).tobytes() for lane in trial.inputs.swapaxes(0, 1)]
    np.testing.assert_array_equal([known[image] for image in shown], trial.targets[-1].argmax(axis=1))
    assert len(set(shown)) > 250


@pytest.mark.parametrize("decision", [1, 3])
def test_only_the_last_steps_count(decision: int, rng: np.random.Generator) -> None:
    trial = Digits(decision=decision).trial(rng, 5)
    counted = np.repeat([0, 1], [8 - decision, decision])
    np.testing.assert_array_equal(trial.mask, np.tile(counted[:, None], 5))
    np.testing.assert_array_equal(trial.targets.sum(axis=2), trial.mask)
    assert (trial.targets[-decision:] == trial.targets[-1]).all()


def test_permuted_shuffles_all_images_alike(rng: np.random.Generator) -> None:
    plain, shuffled = (Digits(step="pixel", permuted=permuted).evaluation(rng) for permuted in (False, True))
    assert not np.array_equal(plain.inputs, shuffled.inputs)
    columns = sorted(pixel.tobytes() for pixel in plain.inputs)
    assert columns == sorted(pixel.tobytes() for pixel in shuffled.inputs)
    np.testing.assert_array_equal(plain.targets, shuffled.targets)
    order = [[pixel.tobytes() for pixel in plain.inputs].index(pixel.tobytes()) for pixel in shuffled.inputs]
    plain, shuffled = Digits(step="pixel"), Digits(step="pixel", permuted=True)
    trained, wanted = (task.trial(np.random.default_rng(3), 50).inputs for task in (shuffled, plain))
    same = [(trained[step] == wanted[place]).all() for step, place in enumerate(order)]
    assert sum(same) > 55


def test_score_sums_the_output_over_the_steps_that_count(rng: np.random.Generator) -> None:
    task = Digits(decision=2)
    trial = task.evaluation(rng)
    outputs = trial.targets.copy()
    outputs[:-2] = rng.normal(size=outputs[:-2].shape)
    assert task.score(outputs, trial) == 1
    outputs[-1, 0] = -0.9 * outputs[-1, 0]
    assert task.score(outputs, trial) == 1
    outputs[-1, 0] = 2 * np.roll(outputs[-2, 0], 1)
    assert task.score(outputs, trial) == pytest.approx(1 - 1 / 397)


def test_trivial_scores_are_those_of_the_design() -> None:
    scores = Digits().trivial_scores()
    assert scores["logistic regression on the last row"] == pytest.approx(0.50, abs=0.005)
    assert scores["logistic regression on the whole image"] == pytest.approx(0.98, abs=0.005)
    assert scores["chance"] == 0.1


@pytest.mark.parametrize("decision", [1, 4])
def test_trivial_levels_are_on_the_evaluation_data(decision: int, rng: np.random.Generator) -> None:
    task = Digits(decision=decision)
    trial, levels, images = task.evaluation(rng), task.trivial(), task.images
    mean = np.bincount(images.train_digits, minlength=10) / 1400
    assert levels["mean of the digits"] == pytest.approx(loss(mean, trial))
    assert levels["linear on the last row"] == pytest.approx(0.0743, abs=5e-5)
    assert levels["linear on the whole image"] == pytest.approx(0.0332, abs=5e-5)


def test_full_mnist(tmp_path: Path, rng: np.random.Generator) -> None:
    task = Digits(data=_mnist(tmp_path / "mnist.npz"), evaluation_trials=10)
    trial = task.evaluation(rng)
    assert trial.inputs.shape == (28, 10, 28)
    assert 0.9 < trial.inputs.max() <= 1
    np.testing.assert_array_equal(trial.targets[-1].argmax(axis=1), np.arange(10))
    assert set(task.trivial()) == set(Digits().trivial())


def test_full_mnist_as_spikes(tmp_path: Path, rng: np.random.Generator) -> None:
    data = _mnist(tmp_path / "mnist.npz")
    task = SpikingDigits(data=data, evaluation_trials=10)
    trial = task.evaluation(rng)
    assert trial.inputs.shape == (28 * 5 + 20, 10, 4 * 28 + 1)
    np.testing.assert_array_equal(trial.targets[-1].argmax(axis=1), np.arange(10))
    assert task.trivial() == Digits(data=data, evaluation_trials=10).trivial()
    with pytest.raises(DataError, match=r"^SpikingDigits\.data: expected a file mnist\.npz, got 'nowhere'"):
        SpikingDigits(data="nowhere").trial(rng, 2)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y_test": None}, "missing arrays y_test"),
        ({"x_train": np.zeros((30, 784))}, r"expected x_train of shape \(n, side, side\)"),
        ({"y_train": np.zeros(7, int)}, r"and y_train of shape \(n,\)"),
        ({"y_train": np.full(30, 11)}, "digits from 0 to 9"),
    ],
)
def test_bad_mnist_files(tmp_path: Path, changes: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Digits(data=_mnist(tmp_path / "mnist.npz", **changes)).images  # noqa: B018


def test_files_that_are_not_mnist(tmp_path: Path) -> None:
    path = tmp_path / "mnist.npz"
    with pytest.raises(DataError, match=r"Digits\.data: expected a file mnist\.npz"):
        Digits(data=str(path)).images  # noqa: B018
    path.write_bytes(b"PK not a zip")
    with pytest.raises(DataError, match=r"cannot be read as mnist\.npz"):
        Digits(data=str(path)).images  # noqa: B018


def test_bad_fields(rng: np.random.Generator) -> None:
    with pytest.raises(InvalidValue, match=r"Digits\.step: .*did you mean 'pixel'"):
        Digits(step="pixels")
    with pytest.raises(InvalidValue, match=r"Digits\.decision: expected at most the 8 steps"):
        Digits(decision=9).trial(rng, 1)
