"""Sequential digits: read a handwritten digit a row or a pixel a step, then name it."""

from __future__ import annotations

import dataclasses
import zipfile
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np

from neuroanp.config.option import option
from neuroanp.errors import DataError, InvalidValue
from neuroanp.models import TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.tasks import _linear as trivial
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

TRAIN = 1400
SPLIT_SEED = 0
PERMUTATION_SEED = 0
FIT_AT_MOST = 5000
ARRAYS = ("x_train", "y_train", "x_test", "y_test")


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Grey images from 0 to 1 (n, side, side) and their digits (n,)."""

    train: Array
    train_digits: Array
    test: Array
    test_digits: Array

    @property
    def side(self) -> int:
        """Rows of an image, and pixels in a row."""
        return self.train.shape[1]


LE = """@misc{le2015simple,
  author = {Le, Quoc V. and Jaitly, Navdeep and Hinton, Geoffrey E.},
  title = {A simple way to initialize recurrent networks of rectified linear units},
  year = {2015},
  eprint = {1504.00941},
  archivePrefix = {arXiv}
}"""


class Digits(Task):
    """Classification of a handwritten digit, shown a row or a pixel a step.

    The images are the 1,797 of 8 x 8 pixels that ship with scikit-learn, shuffled once: 1,400 for
    training, 397 held out. With `data`, they are those of MNIST, 28 x 28 pixels, 60,000 for training.
    The target is one-hot over the ten digits, and only the last `decision` steps count.

    References
    ----------
    Le, Jaitly, Hinton. A simple way to initialize recurrent networks of rectified linear units.
    arXiv 1504.00941 (pixel by pixel, and permuted).
    """

    name = "digits"
    sources = (LE,)
    score_name = "fraction of digits right"
    n_out = 10

    step: Literal["row", "pixel"] = option("row", "what a step shows: row or pixel")
    permuted: bool = option(False, "shuffle the pixels of all images in the same way")
    decision: int = option(1, "steps at the end that count", least=1)
    data: str | None = option(None, "file of full MNIST (mnist.npz); scikit-learn's digits when not given")
    evaluation_trials: int = option(1000, "held-out images to judge on, at most", least=1)

    @property
    def images(self) -> Images:
        """Images, with their pixels shuffled when `permuted`."""
        return find_images(self, self.data, self.permuted)

    @property
    def n_in(self) -> int:
        return self.images.side if self.step == "row" else 1

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Images of the training part, one for each lane: (steps, lanes, n_in)."""
        chosen = rng.integers(len(self.images.train), size=lanes)
        return self._present(self.images.train[chosen], self.images.train_digits[chosen])

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Held-out images, a lane each; the same for every `rng`."""
        few = slice(self.evaluation_trials)
        return self._present(self.images.test[few], self.images.test_digits[few])

    def _present(self, images: Array, digits: Array) -> Trial:
        inputs = images.reshape(len(images), -1, self.n_in).swapaxes(0, 1)
        if self.decision > len(inputs):
            expected = f"at most the {len(inputs)} steps of a trial"
            raise InvalidValue("Digits.decision", expected, self.decision)
        return digit_trial(inputs, digits, self.decision)

    def score(self, outputs: Array, trial: Trial) -> float:
        return fraction_named(outputs, trial)

    def trivial(self) -> dict[str, float]:
        """Test loss of the mean training target, and of least squares on the pixels."""
        trial = self.evaluation(np.random.default_rng(0))
        return {
            name: loss(np.broadcast_to(guess, trial.targets.shape), trial)
            for name, guess in _guesses(self.images, trial.lanes).items()
        }

    def trivial_scores(self) -> dict[str, float]:
        """Fraction of held-out digits that logistic regression names, from the last row and from all."""
        return {"chance": 0.1, **_logistic_scores(self.images, self.evaluation_trials)}

    def recipe(self, preset: str) -> Recipe:
        """Stronger inputs, so that digits differ in their traces."""
        general = super().recipe(preset)
        return general.replace(model=TanhRNN(input_gain=2.0), updates=2000) if preset == "best" else general


def find_images(task: Task, data: str | None, permuted: bool) -> Images:
    """Images of scikit-learn, or of the file that a task has as `data`; `DataError` where that is none."""
    if data is None:
        return _images(None, 0, permuted)
    path = Path(data).expanduser()
    if not path.is_file():
        raise DataError(f"{type(task).__name__}.data: expected a file mnist.npz, got {str(path)!r}")
    return _images(path, path.stat().st_mtime_ns, permuted)


def digit_trial(inputs: Array, digits: Array, steps: int, classes: int = 10) -> Trial:
    """Trial of which the last `steps` count, with the digits (L,), or classes, as one-hot targets there."""
    mask = np.zeros(inputs.shape[:2])
    mask[-steps:] = 1
    return Trial(inputs, mask[:, :, None] * np.eye(classes)[digits], mask)


def fraction_named(outputs: Array, trial: Trial) -> float:
    """Fraction of digits whose output is the largest, summed over the steps that count."""
    named = (outputs * np.asarray(trial.mask)[:, :, None]).sum(axis=0).argmax(axis=1)
    return float((named == trial.targets[-1].argmax(axis=1)).mean())


def _views(images: Array) -> dict[str, Array]:
    """Pixels of `images` for a predictor without memory, the last row, and for one with memory, all."""
    return {"on the last row": images[:, -1], "on the whole image": images.reshape(len(images), -1)}


@lru_cache(maxsize=8)
def _guesses(images: Images, lanes: int) -> dict[str, Array]:
    """Predictions (lanes, 10) for the first held-out images, by predictor."""
    one_hot = np.eye(10)[images.train_digits[:FIT_AT_MOST]]
    fit = range(len(one_hot))
    test = range(fit.stop, fit.stop + lanes)
    guesses = {"mean of the digits": np.tile(one_hot.mean(axis=0), (lanes, 1))}
    for view, pixels in _views(np.concatenate([images.train[: fit.stop], images.test[:lanes]])).items():
        guesses[f"linear {view}"] = trivial.linear(pixels, one_hot, fit, test)
    return guesses


@lru_cache(maxsize=8)
def _logistic_scores(images: Images, at_most: int) -> dict[str, float]:
    from sklearn.linear_model import LogisticRegression

    digits, test_digits = images.train_digits[:FIT_AT_MOST], images.test_digits[:at_most]
    test = _views(images.test[:at_most])
    scores = {}
    for view, pixels in _views(images.train[:FIT_AT_MOST]).items():
        regression = LogisticRegression(max_iter=2000).fit(pixels, digits)
        scores[f"logistic regression {view}"] = float(regression.score(test[view], test_digits))
    return scores


@lru_cache(maxsize=4)
def _images(path: Path | None, modified: int, permuted: bool) -> Images:
    images = _bundled() if path is None else _mnist(path)
    if not permuted:
        return images
    order = np.random.default_rng(PERMUTATION_SEED).permutation(images.side**2)

    def shuffle(values: Array) -> Array:
        return values.reshape(len(values), -1)[:, order].reshape(values.shape)

    return dataclasses.replace(images, train=shuffle(images.train), test=shuffle(images.test))


def _bundled() -> Images:
    from sklearn.datasets import load_digits

    bunch = load_digits()
    order = np.random.default_rng(SPLIT_SEED).permutation(len(bunch.target))
    values, digits = bunch.images[order] / 16, bunch.target[order]
    return Images(values[:TRAIN], digits[:TRAIN], values[TRAIN:], digits[TRAIN:])


def _mnist(path: Path) -> Images:
    try:
        with np.load(path) as file:
            missing = [name for name in ARRAYS if name not in file]
            if missing:
                raise DataError(f"{path}: missing arrays {', '.join(missing)}")
            train, train_digits, test, test_digits = (file[name] for name in ARRAYS)
    except (OSError, ValueError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: cannot be read as mnist.npz: {error}") from error
    for name, images, digits in (("train", train, train_digits), ("test", test, test_digits)):
        if images.ndim != 3 or images.shape[1] != images.shape[2] or digits.shape != images.shape[:1]:
            raise DataError(
                f"{path}: expected x_{name} of shape (n, side, side) and y_{name} of shape (n,), "
                f"got {images.shape} and {digits.shape}"
            )
        if digits.dtype.kind not in "iu" or digits.min() < 0 or digits.max() > 9:
            raise DataError(f"{path}: expected y_{name} to hold digits from 0 to 9")
    white = np.float32(255)
    return Images(train / white, train_digits, test / white, test_digits)
