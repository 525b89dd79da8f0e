"""`verify`: a rule's estimate against samples, noise, size, trial length and discount."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from neuroanp.errors import UnknownName
from neuroanp.network.model import Model
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import Rule
from neuroanp.storage import finite
from neuroanp.training.task import Task
from neuroanp.verify.estimate import Estimate, estimate
from neuroanp.verify.limits import limits

Estimates = dict[str, Estimate]

SIGMAS = (0.1, 1.0, 10.0)
"""Multiples of the rule's own sigma."""
SIZES = (0.5, 1.0, 2.0)
LENGTHS = (0.25, 0.5, 1.0)
DISCOUNTS = (0.0, 0.5, 0.9, 0.99, 1.0)


LEGEND = (
    "cosine: of the mean of so many estimates with the gradient; limit: of their expectation with it;",
    "scale: of the expectation along the gradient, 1 without bias; bias: what it has besides, relative to",
    "the gradient; deviation: of one estimate, relative to the gradient; ?: hidden by noise",
)


@dataclasses.dataclass(frozen=True)
class Sweep:
    """Estimates for several values of one setting."""

    name: str
    values: tuple[float, ...]
    estimates: tuple[Estimates, ...]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Result of `verify`; printed, it is a table.

    Attributes
    ----------
    title : str
        Rule, model and task.
    estimates : dict
        By weight name, at the settings asked for.
    sweeps : tuple of Sweep
    limits : list of str
        Reasons why a limit or the scale is not 1.
    """

    title: str
    estimates: Estimates
    sweeps: tuple[Sweep, ...]
    limits: list[str]

    def __str__(self) -> str:
        lines = [self.title, "", _head("weights", self._at())]
        lines += [_line(name, each, each.cosine) for name, each in self.estimates.items()]
        for sweep in self.sweeps:
            lines += ["", _head(f"{sweep.name}", [f"{self._most()} samples"])]
            for value, estimates in zip(sweep.values, sweep.estimates, strict=True):
                lines += [
                    _line(f"{value:g}, {name}", each, each.cosine[-1:]) for name, each in estimates.items()
                ]
        lines += ["", *LEGEND, ""]
        return "\n".join(lines + [f"- {reason}" for reason in self.limits]).rstrip()

    def figure(self) -> Any:
        """Matplotlib figure: cosine against samples, and the sweeps."""
        from neuroanp.plotting.estimates import Panel, figure

        names = list(self.estimates)
        cosines = {name: np.array(self.estimates[name].cosine) for name in names}
        limits = {name: np.full_like(cosines[name], self.estimates[name].limit) for name in names}
        samples = Panel("samples", self.estimates[names[0]].samples, cosines, limits)
        sweeps = []
        for sweep in self.sweeps:
            cosines = {name: np.array([each[name].cosine[-1] for each in sweep.estimates]) for name in names}
            limits = {name: np.array([each[name].limit for each in sweep.estimates]) for name in names}
            sweeps.append(Panel(sweep.name, sweep.values, cosines, limits))
        return figure(self.title, samples, sweeps)

    def as_json(self) -> dict[str, Any]:
        """All figures as JSON holds them, None for what isn't known."""
        return finite(dataclasses.asdict(self))

    def _most(self) -> int:
        return next(iter(self.estimates.values())).samples[-1]

    def _at(self) -> list[str]:
        return [str(number) for number in next(iter(self.estimates.values())).samples]


def verify(
    rule: Rule,
    model: Model,
    task: Task,
    *,
    modulator: Modulator | None = None,
    lanes: int = 16,
    samples: int = 256,
    seed: int = 0,
    sweeps: Sequence[str] = ("sigma", "hidden", "steps", "discount"),
) -> Report:
    """Measure what a rule estimates.

    Parameters
    ----------
    rule, model, task
        As in `neuroanp.train`.
    modulator : Modulator, optional
        Return of the whole trial when left out.
    lanes, samples, seed : int
        As in `estimate`.
    sweeps : sequence of str
        Of ``"sigma"``, ``"hidden"``, ``"steps"`` and ``"discount"``; those that the rule has no use for are
        left out.

    Raises
    ------
    UnknownName
        For another sweep.
    InvalidValue, MissingExtra
        As `estimate`.
    """
    modulator = modulator or Modulator()
    base: dict[str, Any] = {
        "rule": rule, "model": model, "task": task, "modulator": modulator, "lanes": lanes,
        "samples": samples, "seed": seed,
    }  # fmt: skip
    settings = _swept(base)
    for name in sweeps:
        if name not in settings:
            raise UnknownName("verify.sweeps", name, list(settings))
    estimates = estimate(**base)
    results = []
    for name in sweeps:
        values, change = settings[name]
        if values:
            results.append(Sweep(name, values, tuple(estimate(**(base | change(value))) for value in values)))
    title = f"{rule.name} in {model.name} ({model.hidden} units) on {task.name}, {lanes} lanes"
    return Report(
        title=title, estimates=estimates, sweeps=tuple(results), limits=limits(rule, modulator, model)
    )


def _swept(base: dict[str, Any]) -> dict[str, tuple[tuple[float, ...], Callable[[float], dict[str, Any]]]]:
    """Values of each sweep, and the settings that one of them changes."""
    rule, model, modulator = base["rule"], base["model"], base["modulator"]
    steps = base["task"].trial(np.random.default_rng(0), base["lanes"]).steps
    noisy = rule.perturbation.target != "none"
    sigma = getattr(rule, "sigma", 0.0)
    replace = dataclasses.replace
    return {
        "sigma": (
            tuple(sigma * ratio for ratio in SIGMAS) if noisy and sigma > 0 else (),
            lambda value: {"rule": replace(rule, sigma=value)},
        ),
        "hidden": (
            tuple(sorted({max(2, round(model.hidden * ratio)) for ratio in SIZES})),
            lambda value: {"model": replace(model, hidden=int(value))},
        ),
        "steps": (
            tuple(sorted({max(2, round(steps * ratio)) for ratio in LENGTHS})),
            lambda value: {"steps": int(value)},
        ),
        "discount": (
            DISCOUNTS if noisy else (),
            lambda value: {"modulator": replace(modulator, discount=value)},
        ),
    }


def _head(label: str, columns: Sequence[str]) -> str:
    return f"{label:<14}" + "".join(
        f"{column:>12}" for column in (*columns, "limit", "scale", "bias", "deviation")
    )


def _line(name: str, values: Estimate, cosines: Sequence[float]) -> str:
    numbers = [f"{value:.3f}" for value in cosines]
    numbers += [f"{values.limit:.2f}", f"{values.scale:.2f}±{values.scale_error:.2f}", f"{values.bias:.2f}"]
    numbers += [f"{values.deviation:.3g}"]
    return f"{name:<14}" + "".join(f"{'?' if text == 'nan' else text:>12}" for text in numbers)
