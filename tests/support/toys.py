"""Small configuration classes and a `train` that simulates nothing, to try the shell command with."""

from __future__ import annotations

import dataclasses
import types
from pathlib import Path
from typing import Any, Literal

import numpy as np
from brian2 import Quantity, ms, mV

from neuroanp.config import document, registry
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import DataError, Diverged, Interrupted, UnknownName
from neuroanp.network.model import Model
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import NodeRule, Rule
from neuroanp.training.recipe import Recipe
from neuroanp.training.run import Run
from neuroanp.training.task import Task


class Echo(Task):
    """Say it again after a while."""

    name = "toy-echo"

    length: int = option(5, "symbols to remember, 100 % of them", least=1)
    gap: Quantity = option(30 * ms, "time to wait", "ms")
    noise: float = option(0.1, "noise of the cue", least=0)
    kind: Literal["soft", "hard"] = option("soft", "kind of cue")
    data: str | None = option(None, "file to read")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.data is not None and not Path(self.data).exists():
            raise DataError(f"{self.data}: no such file")

    n_in = n_out = 1

    def trial(self, rng: Any, lanes: int, index: int = 0) -> Trial:
        return Trial(np.zeros((self.length, lanes, 1)), np.zeros((self.length, lanes, 1)))

    def recipe(self, preset: str) -> Recipe:
        if preset == "published":
            return Recipe(model=Net(), rule=Nodes(mirrored=False), decorrelation=None, optimizer=Adam())
        return Recipe(
            model=Net(),
            rule=Nodes(sigma=0.05),
            decorrelation=Decorrelation(rate=0.02),
            optimizer=Adam(lr=0.002),
            updates=30,
        )


class Wait(Task):
    """Do nothing for long."""

    name = "toy-wait"

    length: int = option(3, "length")

    n_in = n_out = 1
    trial = Echo.trial
    recipe = Echo.recipe


class Net(Model):
    """A network."""

    name = "net"

    tau: Quantity = option(20 * ms, "time constant", "ms")
    low: Quantity = option(-70 * mV, "resting potential", "mV")


class DeepNet(Model):
    """A network with layers."""

    name = "deep-net"

    layers: tuple[int, ...] = option((3, 4), "sizes of the layers")


class Reward(Part):
    """From loss to modulator."""

    discount: float = option(1.0, "discount of the return")


class Nodes(NodeRule):
    """Noise in the nodes."""

    name = "nodes"

    sigma: float = option(0.1, "std of the noise", above=0)
    reward: Reward = option(Reward(), "what becomes of the loss")

    def post(self, layer: Any, record: Any, modulator: Any) -> Any:
        return 0.0 * layer.noise


class Synapses(Rule):
    """Noise in the weights."""

    name = "synapses"

    sigma: float = option(0.01, "std of the noise")

    def __call__(self, record: Any, modulator: Any, state: Any) -> dict[str, Any]:
        return {}


TOYS = {
    "task": {"toy-echo": Echo, "toy-wait": Wait},
    "model": {"net": Net, "deep-net": DeepNet},
    "rule": {"nodes": Nodes, "synapses": Synapses},
}


def toy_classes(kind: str) -> dict[str, type]:
    """Stands for `neuroanp.config.registry.classes`."""
    return TOYS.get(kind) or CLASSES(kind)


def toy_names(kind: str) -> list[str]:
    """Stands for `neuroanp.config.registry.names`."""
    return list(toy_classes(kind))


def toy_class(kind: str, name: str) -> type:
    """Stands for `neuroanp.config.registry.find`."""
    known = toy_classes(kind)
    if name not in known:
        raise UnknownName(kind, name, list(known))
    return known[name]


CLASSES = registry.classes


def make_run(
    test_loss: float | None = 0.002,
    *,
    updates: int = 20,
    asked: int | None = None,
    config_: Any = None,
    n_out: int = 1,
) -> Run:
    """A run as training would return it; `trivial` levels are 0.1 and 0.04."""
    rng = np.random.default_rng(0)
    steps = np.arange(1, updates + 1)
    targets = rng.random((30, n_out)).round()
    mask = (np.arange(30) >= 20).astype(float)
    result = {
        "task": "toy-echo",
        "model": "net",
        "rule": "nodes",
        "engine": "compiled",
        "seed": 1,
        "updates": updates,
        "trials": updates * 64,
        "seconds": 1.25,
        "train_loss": 0.003,
        "test_loss": test_loss,
        "score": 0.95,
        "score_name": "fraction of symbols right",
        "trivial": {"zero": 0.1, "memoryless": 0.04},
        "trivial_scores": {},
        "beats_trivial": test_loss is not None and test_loss < 0.04,
        "rate": None,
        "silent": None,
        "saturated": None,
    }
    return Run(
        config=config_ or {"recipe": {"updates": asked or updates}, "seed": 1},
        result=result,
        history={
            "update": steps, "loss": 0.1 * 0.9**steps, "seconds": 0.05 * steps,
            "test_update": np.array([0, 10, 20]), "test_loss": np.array([0.1, np.nan, 1 / 3]),
        },
        weights={
            "W_in": rng.random((4, 2)), "W_rec": rng.random((4, 4)), "D_in": np.eye(2), "D_hidden": np.eye(4),
            "W_out": rng.random((n_out, 4)),
        },
        example={
            "inputs": rng.random((30, 2)), "targets": targets, "mask": mask,
            "outputs": targets + 0.1 * rng.random((30, n_out)), "dt": np.array(1e-3),
        },
    )  # fmt: skip


class Training:
    """Keeps what trainers were `asked` for, and says how their runs end."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.outcome = "done"

    def trainer(self, task: Task, recipe: Recipe, **settings: Any) -> Any:
        """Stands for `neuroanp.Trainer`; simulates nothing."""
        recipe.check(task)
        self.asked.append({"task": task, "recipe": recipe, **settings})
        unsaved = {name: settings.pop(name) for name in ("start", "threads")}
        config = document.describe(task=task, recipe=recipe, **settings)
        self.asked[-1] |= unsaved
        state = types.SimpleNamespace(update=0)
        return types.SimpleNamespace(
            run=self._run, config=config, recipe=recipe, engine="compiled", state=state, get_state=dict
        )

    def _run(self, progress: bool, folder: Any) -> Run:
        self.asked[-1]["progress"] = progress
        settings = {
            name: value
            for name, value in self.asked[-1].items()
            if name not in ("progress", "start", "threads")
        }
        run = make_run(updates=settings["recipe"].updates, config_=document.describe(**settings))
        if self.outcome == "interrupted":
            raise KeyboardInterrupt
        if self.outcome in ("diverged", "stopped"):
            part = dataclasses.replace(run, result=run.result | {"updates": 7, "test_loss": float("nan")})
            error = Diverged("update 7: the loss is not finite; try lower learning rates", part)
            raise error if self.outcome == "diverged" else Interrupted(part)
        return run
