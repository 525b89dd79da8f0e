"""`JaxTrainer`: the training loop whose updates stay on the devices that JAX finds."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from neuroanp.config import checks, document
from neuroanp.config.environment import jax
from neuroanp.errors import InvalidValue
from neuroanp.network.trial import Trial
from neuroanp.training.divergence import limit
from neuroanp.training.evaluation import Evaluation, evaluate
from neuroanp.training.jax_course import Course
from neuroanp.training.jax_network import JaxNetwork
from neuroanp.training.jax_options import Jax
from neuroanp.training.jax_plan import Plan, plan_for
from neuroanp.training.jax_state import DeviceState
from neuroanp.training.jax_update import Numbers, Shown, Update
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.state import TrainingState
from neuroanp.training.task import Task
from neuroanp.types import Arrays

if TYPE_CHECKING:
    from neuroanp.training.run_folder import RunFolder

LANES = "lanes"
"""Name of the axis of devices that lanes are spread over."""


class JaxTrainer(Trainer):
    """Training whose updates are one compiled function each, on a CPU, GPU or TPU, as JAX finds them.

    Network, noise, reward, rule, optimizer and decorrelation of an update stay on the device: its loss comes
    back, and weights and states where they are asked for. Noise is that of the other engines, so that in
    float64 on a CPU the weights agree with theirs to rounding. Lanes are spread over several devices; on a
    CPU JAX takes all cores, whatever `threads` says.

    Parameters
    ----------
    task : Task
    recipe : Recipe
    jax : Jax
        Options of the engine.
    **settings
        The others are those of `Trainer`.

    Attributes
    ----------
    plan : Plan or None
        What is kept of a trial; None before the first update.

    Raises
    ------
    InvalidValue
        For what JAX can't compute, by name, before anything is simulated: see `JaxNetwork`, and for rules,
        baselines and stages with operations of NumPy alone.
    MissingExtra
        Where JAX isn't installed.
    """

    def __init__(self, task: Task, recipe: Recipe, *, jax: Jax = Jax(), **settings: Any) -> None:  # noqa: B008
        checks.instance("Trainer.jax", jax, Jax)
        if "build" in settings:
            raise InvalidValue("Trainer.build", "none for engine jax, which makes its own", settings["build"])
        self.options = jax
        self.plan: Plan | None = None
        self._updates: dict[tuple[int, bool], Any] = {}
        self._next: tuple[int, Trial] | None = None
        self._latest_shown: tuple[Trial, Shown] | None = None
        build: Any = functools.partial(JaxNetwork, products=jax.products)
        super().__init__(task, recipe, build=build, **settings | {"engine": "jax"})
        if jax != Jax():
            self.config |= document.describe(jax=jax)
        self._prepare()

    @property
    def state(self) -> DeviceState:  # type: ignore[override]
        """State of the training; reading its arrays brings them from the device."""
        return self._state

    @state.setter
    def state(self, state: TrainingState) -> None:
        self._state = DeviceState(state)

    @property
    def _good(self) -> tuple[Arrays, Arrays]:  # type: ignore[override]
        return self.state.good

    @_good.setter
    def _good(self, good: tuple[Arrays, Arrays]) -> None:
        """Nothing, as the state keeps them."""

    @property
    def _engine(self) -> JaxNetwork:
        network: Any = self.network
        return network

    @property
    def _course(self) -> Course:
        return self._engine.course

    def _prepare(self) -> None:
        """Trace the first update, so that what can't be compiled is refused before anything runs."""
        trial = self.trial(self.state.update)
        self._next = self.state.update, trial
        with self._engine.computing():
            arguments = self._arguments(trial, self.state.update)
            jax().eval_shape(self._update_for(trial), self.state.give(), *arguments)

    def _update_for(self, trial: Trial) -> Any:
        """The function for trials of one length, compiled at its first call."""
        key = trial.steps, trial.carry
        if key not in self._updates:
            layout = self.network.layout
            self.plan = plan_for(self.options, trial, layout, self.recipe)
            parts = self._course, self.recipe, self.stages, self._engine.constants
            update = Update(*parts, self.plan, trial.carry)
            self._updates[key] = jax().jit(update, donate_argnums=0)
        return self._updates[key]

    def _arguments(self, trial: Trial, index: int) -> tuple[Any, Shown, Numbers]:
        """Arguments of an update but for the state of the training."""
        network = self._engine
        numbers = Numbers(
            np.uint64(network.seed), np.uint64(index), network.deviations(index),
            index / self.recipe.updates, limit(self.state.history["loss"], self._zero_output_loss),
        )  # fmt: skip
        states = self._spread(dict(network.states), -2) if trial.carry else self._rest
        return states, self._shown(trial), numbers

    def _shown(self, trial: Trial) -> Shown:
        """Trial on the device, put there once."""
        if self._latest_shown is None or self._latest_shown[0] is not trial:
            network = self._engine
            targets = trial.targets.astype(network.dtype)
            shown = Shown(network.inputs(trial), targets, np.asarray(trial.mask))
            self._latest_shown = trial, self._spread(shown, 1)
        return self._latest_shown[1]

    @functools.cached_property
    def _rest(self) -> dict[str, Any]:
        """Network at rest, on the device."""
        return dict(self._spread(self._course.rest(), -2))

    def _spread(self, tree: Any, axis: int) -> Any:
        """Arrays with their lanes, on an axis, spread over the devices."""
        devices = jax().devices()
        count = next(n for n in range(len(devices), 0, -1) if self.recipe.lanes % n == 0)
        if count == 1:
            return jax().device_put(tree)
        sharding = jax().sharding
        mesh = sharding.Mesh(np.array(devices[:count]), (LANES,))

        def put(values: Any) -> Any:
            spec: list[Any] = [None] * np.ndim(values)
            spec[axis] = LANES
            return jax().device_put(values, sharding.NamedSharding(mesh, sharding.PartitionSpec(*spec)))

        return jax().tree.map(put, tree)

    def trial(self, index: int) -> Trial:
        kept, self._next = self._next, None
        return kept[1] if kept is not None and kept[0] == index else super().trial(index)

    def learn(self, trial: Trial, index: int) -> float:
        network = self._engine
        with network.computing():
            update, arguments = self._update_for(trial), self._arguments(trial, index)
            held, states, told = update(self.state.give(), *arguments)
            self.state.take(held)
            network.states = dict(states)
            if index + 1 < self.recipe.updates:  # while the device computes
                self._next = index + 1, self.trial(index + 1)
                self._shown(self._next[1])
        loss, finite = float(told[0]), bool(told[1])
        self._check(index + 1, "loss", loss)
        if not finite:
            self._diverged(index + 1, "the change of the weights is not finite")
        return loss

    def _evaluation(self) -> Evaluation:
        self._tester.write(self.state.weights, self.state.decorrelation)
        mark = self.state.mark()
        if self._latest is None or self._latest[0] != mark:
            self._latest = mark, evaluate(self._tester, self.task, self.unseen)
        return self._latest[1]

    @functools.cached_property
    def _tester(self) -> Any:
        """Network that evaluations run on: one pass, of no more lanes than an evaluation needs."""
        recipe, task = self.recipe, self.task
        perturbation = self.network.perturbation.replace(recorded=())
        return JaxNetwork(
            recipe.model, task.n_in, task.n_out, task.dt, lanes=min(recipe.lanes, self.unseen.lanes),
            passes=("plus",) if perturbation.lasting else ("clean",), perturbation=perturbation,
            seed=self._engine.seed, dtype=self.dtype, loss=task.loss, products=self.options.products,
        )  # fmt: skip

    def run(self, progress: bool = True, folder: RunFolder | None = None) -> Run:
        if progress:
            print(self.describe(), file=sys.stderr)
        return super().run(progress, folder)

    def describe(self) -> str:
        """Sentence about devices and memory."""
        devices = jax().devices()
        kinds = f"{len(devices)} {devices[0].device_kind} device{'s' if len(devices) > 1 else ''}"
        return f"jax: {kinds}, {self.dtype}, {self.options.products} precision; {self.plan}"
