"""`Perturbation`: the noise of a network, by place and kind."""

from __future__ import annotations

from typing import Literal

from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import InvalidValue


class Perturbation(Part):
    r"""Noise on the activity of nodes, on their thresholds or on weights.

    Parameters
    ----------
    target : {"none", "nodes", "thresholds", "weights"}
        ``"thresholds"`` adds to what a spiking cell compares with its threshold, and to nothing else: a cell
        spikes by chance, and between spikes its potential is free of noise (escape noise).
    sigma : float
        Standard deviation.
    distribution : {"gaussian", "sign", "rare", "logistic"}
        ``"sign"`` is plus or minus sigma: cheaper to draw, and the estimate varies less. ``"rare"``, not for
        weights, is mostly 0 and else uniform. ``"logistic"``, not for weights, makes the chance of a spike
        :math:`1 / (1 + e^{-(v - \theta) / s})` where it is on the threshold, with
        :math:`s = \sqrt{3} \sigma / \pi`.
    probability : float
        Rare noise: probability of noise other than 0.
    hold_steps : int or None
        Steps for which one draw is held; for weights None holds it for the whole trial.
    every : int
        Trials of which one has noise, the first among them.
    lasting : bool
        True: noise on thresholds is the cells' own, and evaluations have it too.
    relaxation : float
        Weights, held for the trial: part of the noise that is new in each trial.
    readout : bool
        True perturbs the readout too.
    per_lane : bool
        Weights: noise, and so weights, of each lane.
    external : bool
        The noise is handed to `Network.run` instead of being drawn.
    readout_sigma : float, optional
        Standard deviation of the noise on the readout; `sigma` when left out.
    recorded : tuple of str
        Hidden variables that the rule reads in each pass, see `Rule`; ``"trace"`` for `Record.traces`.
    """

    target: Literal["none", "nodes", "thresholds", "weights"] = option("none", "place of the noise")
    sigma: float = option(0.0, "standard deviation of the noise", least=0)
    distribution: Literal["gaussian", "sign", "rare", "logistic"] = option(
        "gaussian", "distribution of the noise"
    )
    probability: float = option(1.0, "rare noise: probability of noise other than 0", above=0, most=1)
    hold_steps: int | None = option(1, "steps for which one draw is held, none for the trial", least=1)
    every: int = option(1, "trials of which one has noise", least=1)
    lasting: bool = option(False, "thresholds: evaluations have the noise too")
    relaxation: float = option(1.0, "part of the noise on weights that is new in each trial", above=0, most=1)
    per_lane: bool = option(False, "weights: noise of each lane")
    readout: bool = option(False, "perturb the readout too")
    readout_sigma: float | None = option(
        None, "standard deviation of the readout's noise, if another", least=0
    )
    external: bool = option(False, "the noise is handed to run")
    recorded: tuple[str, ...] = option((), "hidden variables that the rule reads")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.target == "weights" and self.distribution not in ("gaussian", "sign"):
            raise InvalidValue("Perturbation.distribution", "gaussian or sign for weights", self.distribution)
        if self.target != "thresholds" and self.lasting:
            raise InvalidValue("Perturbation.lasting", "False but for noise on thresholds", True)
        if self.per_lane and (self.target != "weights" or self.relaxation < 1):
            raise InvalidValue("Perturbation.per_lane", "noise on weights that is new in each trial", True)
        if self.hold_steps is None and self.target != "weights":
            raise InvalidValue("Perturbation.hold_steps", "a whole number of 1 or more", None)

    def deviation(self, source: str, sigma: float | None = None, trial: int = 0) -> float:
        """Standard deviation of one source of noise.

        Parameters
        ----------
        source : str
            ``"hidden"``, ``"output"``, or the name of weights.
        sigma : float, optional
            Another level than `sigma`; the readout's changes in the same ratio.
        trial : int
            Number of the trial; see `every`.
        """
        if self.lasting and source == "hidden":
            return self.sigma
        if trial % self.every:
            return 0.0
        level = self.readout_sigma if source == "output" else None
        if level is None:
            return self.sigma if sigma is None else sigma
        if sigma is None:
            return level
        return level * sigma / self.sigma if self.sigma > 0 else sigma
