"""Gymnasium environments, in closed loop."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.network.plant import PythonPlant
from neuroanp.network.trial import Trial
from neuroanp.tasks.cart_pole import CartPole
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import PlantTask
from neuroanp.types import Array

RANDOM_EPISODES = 100
BOUNDLESS = 1e6
"""Bound from which an action is as good as unbounded."""


class Episodes(NamedTuple):
    """Environments in the course of an episode, and their observations (rows, n)."""

    environments: list[Any]
    observations: Array

    @property
    def seen(self) -> Array:
        """`observations`, by their name in scripts of before 0.1."""
        return self.observations


class GymnasiumPlant(PythonPlant):
    """Environments of one kind, one for each pass and lane.

    Observations are flattened as Gymnasium does it, one-hot where they are discrete, and divided by `scale`.
    The readout chooses among discrete actions by its largest output, among two by the sign of its only one;
    continuous actions are its outputs, with -1 to 1 as the bounds of the environment where it has both, below
    1e6, and cut at a bound else.
    The loss is minus the environment's reward. Its end and its time limit end an episode.

    Parameters
    ----------
    env : str
        Name in Gymnasium.
    scale : tuple of float
        Divisor of each observation, or one for all; when empty, bounds of less than 1e3, and 1 elsewhere.

    Raises
    ------
    MissingExtra
        Where Gymnasium is not installed.
    InvalidValue
        For an environment that doesn't exist, or whose module isn't imported (``module:name``), actions of
        other kinds, observations that aren't numbers, and a scale of the wrong length; in an episode, for
        observations and rewards that aren't finite numbers.
    """

    dt = 20 * ms

    env: str = option("CartPole-v1", "name of the environment")
    scale: tuple[float, ...] = option((), "divisor of each observation, or one for all")

    def __post_init__(self) -> None:
        super().__post_init__()
        space = self._environments[0].observation_space
        if not space.is_np_flattenable:
            raise InvalidValue(
                "GymnasiumPlant.env", "observations that make one vector of numbers", str(space)
            )
        if not self.actions:
            raise InvalidValue("GymnasiumPlant.env", "an environment with actions", self.env)
        if not all(math.isfinite(value) and value > 0 for value in self.scale):
            raise InvalidValue("GymnasiumPlant.scale", "numbers above 0", self.scale)
        if len(self.scale) > 1 and len(self.scale) != len(self.observations):
            expected = f"{len(self.observations)} numbers, one an observation of {self.env}"
            raise InvalidValue("GymnasiumPlant.scale", expected, f"{len(self.scale)}")

    @functools.cached_property
    def _environments(self) -> list[Any]:
        return [_make(self.env)]

    def _rows(self, rows: int) -> list[Any]:
        """Environments, a row each, made at their first use."""
        self._environments.extend(_make(self.env) for _ in range(rows - len(self._environments)))
        return self._environments[:rows]

    @functools.cached_property
    def _width(self) -> int:
        return int(_gymnasium().spaces.flatdim(self._environments[0].observation_space))

    @functools.cached_property
    def _choice(self) -> tuple[int, Callable[[Array], Any]]:
        """Number of outputs that choose an action, and the choice."""
        spaces, space = _gymnasium().spaces, self._environments[0].action_space
        if isinstance(space, spaces.Discrete):
            first, count = int(space.start), int(space.n)
            if count == 2:
                return 1, lambda y: first + int(y[0] > 0)
            return count, lambda y: first + int(y.argmax())
        if isinstance(space, spaces.Box):
            low, high = space.low.astype(np.float64), space.high.astype(np.float64)
            bounded = np.maximum(np.abs(low), np.abs(high)) < BOUNDLESS
            middle, half = (
                np.where(bounded, (low, high), 0.0).mean(axis=0),
                np.where(bounded, high / 2 - low / 2, 1.0),
            )

            def scaled(y: Array) -> Array:
                y = y.reshape(space.shape)
                inside = np.where(bounded, np.clip(y, -1, 1), y)
                return np.clip(middle + half * inside, low, high).astype(space.dtype)

            return int(np.prod(space.shape)), scaled
        raise InvalidValue("GymnasiumPlant.env", "an environment with Discrete or Box actions", str(space))

    @functools.cached_property
    def _divisor(self) -> Array:
        if self.scale:
            return np.broadcast_to(np.array(self.scale), self._width)
        spaces, space = _gymnasium().spaces, self._environments[0].observation_space
        if not isinstance(space, spaces.Box):
            return np.ones(self._width)
        bound = np.maximum(np.abs(space.low), np.abs(space.high)).astype(np.float64).reshape(-1)
        return np.where((bound < 1e3) & (bound > 0), bound, 1.0)

    @property
    def observations(self) -> tuple[str, ...]:
        return tuple(f"seen_{k}" for k in range(self._width))

    @property
    def actions(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(f"action_{k}" for k in range(self._choice[0]))

    def draw_start(self, rng: np.random.Generator, lanes: int) -> dict[str, Array]:
        """Seeds, one for each environment."""
        return {"seed": rng.integers(2**31, size=lanes)}

    start = draw_start  # its name in scripts of before 0.1

    def reset(self, start: Mapping[str, Array]) -> Episodes:
        environments = self._rows(len(start["seed"]))
        resets = [env.reset(seed=int(seed))[0] for env, seed in zip(environments, start["seed"], strict=True)]
        return Episodes(environments, np.stack([self._flat(observation) for observation in resets]))

    def observe_state(self, state: Episodes) -> Array:
        return state.observations

    def move(self, state: Episodes, actions: Array, alive: Array) -> tuple[Episodes, Array, Array]:
        observations, loss, over = state.observations.copy(), np.zeros(len(alive)), ~alive
        choose = self._choice[1]
        for row in np.flatnonzero(alive):
            observation, reward, ended, out_of_time, _ = state.environments[row].step(choose(actions[row]))
            observations[row], loss[row] = self._flat(observation), -self._number(reward)
            over[row] = ended or out_of_time
        return Episodes(state.environments, observations), loss, over

    def _flat(self, observation: Any) -> Array:
        spaces, space = _gymnasium().spaces, self._environments[0].observation_space
        try:
            flat = np.asarray(spaces.flatten(space, observation), np.float64)
        except (TypeError, ValueError, KeyError, IndexError):
            flat = np.empty(0)
        if flat.shape != (self._width,) or not np.isfinite(flat).all():
            raise InvalidValue(f"observation of {self.env}", f"finite numbers of {space}", observation)
        return flat / self._divisor

    def _number(self, reward: Any) -> float:
        try:
            number = float(reward)
        except (TypeError, ValueError):
            number = math.nan
        if not math.isfinite(number):
            raise InvalidValue(f"reward of {self.env}", "a finite number", reward)
        return number


TOWERS = r"""@misc{towers2024gymnasium,
  author = {Towers, M. and Kwiatkowski, A. and Terry, J. and Balis, J. U. and De Cola, G. and Deleu, T. and
    Goul{\~a}o, M. and Kallinteris, A. and Krimmel, M. and KG, A. and Perez-Vicente, R. and Pierr{\'e}, A.
    and Schulhoff, S. and Tai, J. J. and Tan, H. and Younis, O. G.},
  title = {Gymnasium: a standard interface for reinforcement learning environments},
  year = {2024},
  eprint = {2407.17032},
  archivePrefix = {arXiv}
}"""


class Gymnasium(PlantTask):
    """Actions in a Gymnasium environment, chosen by its name, for the most reward.

    Each step of the environment is 20 ms, four of the network's. The loss of a step is minus the reward; the
    score is the mean sum of rewards over `episodes` unseen episodes. The extra ``gym`` brings Gymnasium;
    some environments need further packages.
    """

    name = "gymnasium"
    sources = (TOWERS,)
    score_name = "sum of rewards in an episode"
    dt = 5 * ms

    env: str = option("CartPole-v1", "name of the environment")
    longest: int = option(500, "steps of the environment after which an episode is over", least=1)
    scale: tuple[float, ...] = option((), "divisor of each observation, or one for all; bounds when empty")

    @functools.cached_property
    def plant(self) -> GymnasiumPlant:  # type: ignore[override]
        return GymnasiumPlant(env=self.env, longest=self.longest, scale=self.scale)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Mean over episodes of the sum of rewards."""
        if trial.charged is None:
            raise InvalidValue("Gymnasium.score", "a trial that was run, with what was charged", "none")
        return float(-(trial.charged * np.asarray(trial.mask)).sum(axis=0).mean())

    @functools.cached_property
    def _random(self) -> tuple[float, float]:
        """Loss a step of the network, and sum of rewards, of random actions."""
        env, total, steps = _make(self.env), 0.0, 0
        env.action_space.seed(0)
        ratio = self.plant.steps_each(self.dt)
        for episode in range(RANDOM_EPISODES):
            env.reset(seed=episode)
            moves, over = 0, False
            while moves < self.longest and not over:
                _, reward, ended, out_of_time, _ = env.step(env.action_space.sample())
                total, moves, over = total + float(reward), moves + 1, ended or out_of_time
            steps += (moves - 1) * ratio + 1 if over else moves * ratio
        return -total / steps, total / RANDOM_EPISODES

    def trivial(self) -> dict[str, float]:
        """Minus the reward a step of acting at random."""
        return {"random": self._random[0]}

    def trivial_scores(self) -> dict[str, float]:
        return {"random": self._random[1]}

    def recipe(self, preset: str) -> Recipe:
        """Settings of cart-pole: spiking cells, one noisy pass, a critic on the inputs."""
        return CartPole().recipe(preset)


def _gymnasium() -> Any:
    try:
        import gymnasium
    except ImportError:
        raise MissingExtra("gymnasium", "gym") from None
    return gymnasium


def _make(name: str) -> Any:
    gymnasium = _gymnasium()
    module = name.rpartition(":")[0]
    if module and module not in sys.modules:
        raise InvalidValue(
            "Gymnasium.env", f"an environment whose module is imported: import {module} first", name
        )
    try:
        return gymnasium.make(name)
    except gymnasium.error.Error as error:
        raise InvalidValue("Gymnasium.env", "the name of an environment", f"{name} ({error})") from None
