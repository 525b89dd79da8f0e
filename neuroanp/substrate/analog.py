"""`Analog`: cells and synapses of a mixed-signal chip, no two of which are alike."""

from __future__ import annotations

import math
import zlib
from typing import Any, Literal

import numpy as np

from neuroanp.config.option import SEEDS, option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue
from neuroanp.network.model import Model
from neuroanp.types import Array


class Analog(Part):
    r"""Device with mismatch, weights of few bits, noise and stuck synapses: a chip in the loop.

    A synapse that is written the weight w transmits

    .. math:: f \, \frac{W}{n} \operatorname{round}\Big(n \operatorname{clip}\big(\frac{w}{W}, -1, 1\big)\Big)
              + \text{noise of the write}, \qquad n = 2^{bits - 1} - 1

    where W is the largest weight of its projection and f its factor. Each time of a cell and of an output
    (time constants, refractory periods) and the way from reset to threshold have factors too. They are
    log-normal, of mean 1, drawn from the seed of the device: a device is the same in every training.

    The host keeps its weights in floating point and writes them to the device after every update, as is usual
    with a chip in the loop: the changes of one update are mostly smaller than what the device can hold, and
    would be lost there. `Run.weights` are the host's; losses, scores and `Run.network` are of the device.
    Rules know nothing of the mismatch. Those that compute with constants of the cells (`EProp`, `BPTT`) have
    those of the ideal model, and the host's weights, beside the activity of the device.

    Parameters
    ----------
    device : int
        Seed of what differs from device to device.
    mismatch : float
        Standard deviation of the factors; each of the next three is this one when left out.
    threshold_mismatch, time_mismatch, weight_mismatch : float, optional
    bits : int or None
        Bits of a weight, its sign among them; None doesn't round.
    range : float
        W, in root mean squares of the weights that the model starts with; of a readout that starts with zeros
        in 1 / sqrt(hidden). Infinite for no bound, without bits.
    noise : float
        Standard deviation of the noise added to each potential in each step, in ways from reset to threshold;
        of units that don't spike to their drive.
    write_noise : float
        Standard deviation of the noise of a write, in W.
    stuck : float
        Part of the synapses that can't be written.
    stuck_at : str
        What they hold: ``"zero"``, or ``"any"`` weight of the range, as they were found.

    Raises
    ------
    InvalidValue
        For values out of range; when a network is built, for a threshold that isn't ``variable > value``.

    Examples
    --------
    >>> train(LIF(), task, substrate=Analog(bits=4, mismatch=0.3))          # doctest: +SKIP

    References
    ----------
    Schmitt et al., Neuromorphic hardware in the loop, IJCNN (2017); mismatch of 20 %: Büchel, Zendrikov,
    Solinas, Indiveri, Muir, Sci. Rep. 11, 23376 (2021).
    """

    device: int = option(0, "seed of what differs from device to device", least=0, most=SEEDS)
    mismatch: float = option(0.2, "standard deviation of thresholds, times and weights, in parts", least=0)
    threshold_mismatch: float | None = option(None, "that of thresholds, where another", least=0)
    time_mismatch: float | None = option(None, "that of times, where another", least=0)
    weight_mismatch: float | None = option(None, "that of weights, where another", least=0)
    bits: int | None = option(4, "bits of a weight with its sign, none for no rounding", least=2, most=32)
    range: float = option(
        4.0, "largest weight, in root mean squares of the first weights", above=0, finite=False
    )
    noise: float = option(0.0, "noise of a step on a potential, in ways from reset to threshold", least=0)
    write_noise: float = option(0.0, "noise of a write, in largest weights", least=0)
    stuck: float = option(0.0, "part of the synapses that can't be written", least=0, most=1)
    stuck_at: Literal["zero", "any"] = option("zero", "weight that they hold")

    def __post_init__(self) -> None:
        super().__post_init__()
        needs_range = (
            self.bits is not None or self.write_noise > 0 or self.stuck * (self.stuck_at == "any") > 0
        )
        if self.range == math.inf and needs_range:
            raise InvalidValue("Analog.range", "a finite number where something is in parts of it", math.inf)

    def deployed(self, model: Model, n_in: int, n_out: int, dt: Any) -> Model:
        """Model as the device has it, for a network of these inputs and outputs and steps of length `dt`."""
        from neuroanp.substrate.deployed import deployed

        return deployed(self, model, n_in, n_out, dt)

    def rng(self, name: str) -> np.random.Generator:
        """Stream of what differs from device to device in one parameter or projection."""
        return np.random.default_rng(
            np.random.SeedSequence(self.device, spawn_key=(zlib.crc32(name.encode()),))
        )

    def factors(
        self, name: str, kind: Literal["threshold", "time", "weight"], shape: int | tuple[int, ...]
    ) -> Array:
        """Factors of one parameter or projection, of mean 1 and above 0."""
        own = getattr(self, f"{kind}_mismatch")
        spread = math.log1p((self.mismatch if own is None else own) ** 2)
        return np.exp(math.sqrt(spread) * self.rng(name).standard_normal(shape) - spread / 2)
