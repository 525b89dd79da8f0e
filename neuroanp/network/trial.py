"""`Trial`: inputs and targets of a network, or the start of its plant."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np

from neuroanp.config import checks
from neuroanp.errors import InvalidValue
from neuroanp.types import Array


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """One presentation of a task to several lanes.

    Parameters
    ----------
    inputs : (T, L, n_in) array
    targets : (T, L, n_out) array
        Desired readout.
    mask : (T, L) array, optional
        Weight of each step in the loss, 0 for steps that don't count. Ones when left out.
    carry : bool
        True keeps the state of the trial before (windows of a long series).
    plant : mapping, optional
        In closed loop: first state of the plant of each lane, by variable: (L,) arrays in base units. The
        plant's observations take the place of the first inputs.
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
        if mask.min() < 0 or not mask.any():
            got = "zeros" if mask.min() == 0 else f"{mask.min():g}"
            raise InvalidValue("Trial.mask", "weights of 0 or more, not all of them 0", got)
        for name, value in (("inputs", inputs), ("targets", targets), ("mask", mask)):
            object.__setattr__(self, name, value)
        if self.plant is not None:
            plant = {k: checks.array(f"Trial.plant[{k!r}]", v, (lanes,)) for k, v in self.plant.items()}
            object.__setattr__(self, "plant", plant)

    def check(self, lanes: int, n_in: int, n_out: int, in_loop: bool) -> None:
        """Check that a network of these sizes, in closed loop or not, can run it; `InvalidValue` if not."""
        for name, array, width in (("inputs", self.inputs, n_in), ("targets", self.targets, n_out)):
            expected = (self.steps, lanes, width)
            if array.shape != expected:
                raise InvalidValue(f"Trial.{name}", f"shape {expected}", f"shape {array.shape}")
        if (self.plant is not None) != in_loop and not self.carry:
            plant = "the plant's state at the start" if in_loop else "none without a plant"
            raise InvalidValue("Trial.plant", plant, None if self.plant is None else ", ".join(self.plant))

    @property
    def steps(self) -> int:
        """Number of steps, T."""
        return self.inputs.shape[0]

    @property
    def lanes(self) -> int:
        """Number of lanes, L."""
        return self.inputs.shape[1]

    def repeated(self, copies: int) -> Trial:
        """Trial of `copies` times as many lanes, the copies of a lane next to each other."""
        if copies == 1:
            return self
        return self.lane(np.repeat(np.arange(self.lanes), copies))

    def lane(self, chosen: Array) -> Trial:
        """Trial of the lanes of these numbers, in this order."""
        return Trial(
            self.inputs[:, chosen],
            self.targets[:, chosen],
            np.asarray(self.mask)[:, chosen],
            carry=self.carry,
            plant=None if self.plant is None else {k: v[chosen] for k, v in self.plant.items()},
        )
