"""`Task` and `Trial`: what is asked of a network, and when it counts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
from brian2 import ms
from numpy.typing import NDArray

from neuroanp import checks
from neuroanp.errors import InvalidValue
from neuroanp.plant import Plant

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """One presentation of a task to several lanes.

    Parameters
    ----------
    inputs : (T, L, n_in) array
        What the network sees at each step.
    targets : (T, L, n_out) array
        What its readout is compared with at each step.
    mask : (T, L) array, optional
        Weight of each step in the loss, 0 for steps that don't count. Ones when left out.
    carry : bool
        Whether the network keeps the state of the trial before (windows of a long series).
    plant : mapping, optional
        In closed loop: the state that the plant of each lane starts in, by variable: (L,) arrays in base
        units. What the plant shows takes the place of the first inputs.
    charged : (T, L) array, optional
        After a test in closed loop: the plant's loss at each step.

    Raises
    ------
    InvalidValue
        For shapes that don't agree, and for numbers that aren't finite.
    """

    inputs: Array
    targets: Array
    mask: Array | None = None
    carry: bool = False
    plant: Mapping[str, Array] | None = None
    charged: Array | None = None

    def __post_init__(self) -> None:
        inputs = checks.array("Trial.inputs", self.inputs, (None, None, None))
        steps, lanes, _ = inputs.shape
        if steps == 0 or lanes == 0:
            raise InvalidValue("Trial.inputs", "at least one step and one lane", f"shape {inputs.shape}")
        targets = checks.array("Trial.targets", self.targets, (steps, lanes, None))
        mask = np.ones((steps, lanes)) if self.mask is None else self.mask
        mask = checks.array("Trial.mask", mask, (steps, lanes))
        for name, value in (("inputs", inputs), ("targets", targets), ("mask", mask)):
            object.__setattr__(self, name, value)
        if self.plant is not None:
            start = {k: checks.array(f"Trial.plant[{k!r}]", v, (lanes,)) for k, v in self.plant.items()}
            object.__setattr__(self, "plant", start)

    @property
    def steps(self) -> int:
        """Number of steps, T."""
        return self.inputs.shape[0]

    @property
    def lanes(self) -> int:
        """Number of lanes, L."""
        return self.inputs.shape[1]

    def repeated(self, copies: int) -> Trial:
        """The trial in `copies` times as many lanes, the copies of a lane next to each other."""
        if copies == 1:
            return self
        return self.lane(np.repeat(np.arange(self.lanes), copies))

    def lane(self, chosen: Array) -> Trial:
        """The trial with the lanes of these numbers, in this order."""
        return Trial(
            self.inputs[:, chosen],
            self.targets[:, chosen],
            np.asarray(self.mask)[:, chosen],
            carry=self.carry,
            plant=None if self.plant is None else {k: v[chosen] for k, v in self.plant.items()},
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Task:
    """Base of all tasks: a frozen dataclass whose fields are its options.

    A task is one file. It defines `n_in`, `n_out`, `trial`, `evaluation`, `score` and `trivial`.

    Attributes
    ----------
    name : str
        Name in the shell.
    score_name : str
        What `score` measures, e.g. ``"fraction of symbols right"``.
    higher_is_better : bool
        Direction of `score`.
    presets : tuple of str
        Names of its recipes, the default one first.
    dt : Quantity
        Length of one step.
    """

    name: ClassVar[str]
    score_name: ClassVar[str]
    higher_is_better: ClassVar[bool] = True
    presets: ClassVar[tuple[str, ...]] = ("best", "published")
    dt: ClassVar[Any] = 1 * ms

    @property
    def loss(self) -> str | None:
        """Loss of one output at one step, an expression of ``y`` and ``target``; None for the model's."""
        return None

    @property
    def judged_by(self) -> str:
        """Whether `loss` or `score` is compared with trivial predictors: score where loss isn't an error."""
        return "loss"

    @property
    def n_in(self) -> int:
        """Number of inputs."""
        raise TypeError(f"{type(self).__name__} does not define n_in")

    @property
    def n_out(self) -> int:
        """Number of outputs."""
        raise TypeError(f"{type(self).__name__} does not define n_out")

    @property
    def plant(self) -> Plant | None:
        """What the network acts on, for a task in closed loop."""
        return None

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Draw one training trial of `lanes` lanes.

        `index` is the number of the trial in the run; only tasks whose trials go on from one another look
        at it.
        """
        raise TypeError(f"{type(self).__name__} does not define trial")

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """The unseen trials that the result is judged on, as lanes of one trial."""
        raise TypeError(f"{type(self).__name__} does not define evaluation")

    def score(self, outputs: Array, trial: Trial) -> float:
        """Judge readouts (T, L, n_out) of an evaluation trial."""
        raise TypeError(f"{type(self).__name__} does not define score")

    def trivial(self) -> dict[str, float]:
        """Test loss of each trivial predictor, computed on the same data, by name."""
        raise TypeError(f"{type(self).__name__} does not define trivial")

    def trivial_scores(self) -> dict[str, float]:
        """`score` of trivial predictors, by name, for tasks that know them."""
        return {}

    def final_score(self, score: float, before: Sequence[float]) -> float:
        """Score of a run: that of its end, or what else follows from the scores `before`, test by test."""
        return score

    @classmethod
    def recipe(cls, preset: str) -> dict[str, Any]:
        """Arguments of `neuroanp.train` in which a preset of the task differs from the general one."""
        return {}


def loss(outputs: Array, trial: Trial) -> float:
    """Mean over outputs, lanes and counted steps of the squared error.

    Parameters
    ----------
    outputs : (T, L, n_out) array
    trial : Trial
    """
    mask = np.asarray(trial.mask)
    error = ((outputs - trial.targets) ** 2).mean(axis=2)
    return float((error * mask).sum() / mask.sum())
