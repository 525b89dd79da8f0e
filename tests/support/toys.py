"""Small configuration classes and a `train` that simulates nothing, to try the shell command with."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from brian2 import Quantity, ms, mV

from neuroanp.config import checks
from neuroanp.config import document as config
from neuroanp.config.option import option
from neuroanp.errors import DataError, Diverged, Interrupted, UnknownName
from neuroanp.training.run import Run


@dataclasses.dataclass(frozen=True, kw_only=True)
class Echo:
    """Say it again after a while."""

    name: ClassVar[str] = "toy-echo"
    length: int = option(5, "symbols to remember, 100 % of them")
    gap: Quantity = option(30 * ms, "time to wait", "ms")
    noise: float = option(0.1, "noise of the cue")
    kind: Literal["soft", "hard"] = option("soft", "kind of cue")
    data: str | None = option(None, "file to read")

    def __post_init__(self) -> None:
        checks.whole(self, 1, "length")
        checks.not_negative(self, "noise")
        checks.has_unit(self, "gap", ms)
        if self.data is not None and not Path(self.data).exists():
            raise DataError(f"{self.data}: no such file")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Wait:
    """Do nothing for long."""

    name: ClassVar[str] = "toy-wait"
    length: int = option(3, "length")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Net:
    """A network."""

    name: ClassVar[str] = "net"
    hidden: int = option(100, "hidden units")
    tau: Quantity = option(20 * ms, "time constant", "ms")
    low: Quantity = option(-70 * mV, "resting potential", "mV")


@dataclasses.dataclass(frozen=True, kw_only=True)
class DeepNet:
    """A network with layers."""

    name: ClassVar[str] = "deep-net"
    hidden: int = option(10, "hidden units")
    layers: tuple[int, ...] = option((3, 4), "sizes of the layers")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Reward:
    """From loss to modulator."""

    discount: float = option(1.0, "discount of the return")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nodes:
    """Noise in the nodes."""

    name: ClassVar[str] = "nodes"
    sigma: float = option(0.1, "std of the noise")
    mirrored: bool = option(True, "whether a second pass gets the opposite noise")
    reward: Reward = option(Reward(), "what becomes of the loss")

    def __post_init__(self) -> None:
        checks.positive(self, "sigma")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synapses:
    """Noise in the weights."""

    name: ClassVar[str] = "synapses"
    sigma: float = option(0.01, "std of the noise")


class Registry:
    """Stands where `neuroanp.config.registry` does."""

    def tasks(self) -> dict[str, type]:
        return {"toy-echo": Echo, "toy-wait": Wait}

    def models(self) -> dict[str, type]:
        return {"net": Net, "deep-net": DeepNet}

    def rules(self) -> dict[str, type]:
        return {"nodes": Nodes, "synapses": Synapses}

    def find(self, kind: str, name: str) -> type:
        known = {"task": self.tasks(), "model": self.models(), "rule": self.rules()}[kind]
        if name not in known:
            raise UnknownName(kind, name, list(known))
        return known[name]


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
    }
    return Run(
        config=config_ or {"updates": asked or updates, "seed": 1},
        result=result,
        history={
            "update": steps, "loss": 0.1 * 0.9**steps, "seconds": 0.05 * steps,
            "test_update": np.array([0, 10, 20]), "test_loss": np.array([0.1, np.nan, 1 / 3]),
        },
        weights={"W_in": rng.random((4, 2)), "W_rec": rng.random((4, 4)), "D_hidden": np.eye(4)},
        example={
            "inputs": rng.random((30, 2)), "targets": targets, "mask": mask,
            "outputs": targets + 0.1 * rng.random((30, n_out)),
        },
    )  # fmt: skip


class Training:
    """Stands where `neuroanp.training` does; `asked` keeps what `train` was called with."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.outcome = "done"
        seen = self

        def train(
            model: Any, task: Any, *, rule: Any = None, decorrelation: Any = None, optimizer: Any = None,
            lanes: int = 64, updates: int = 20, seed: int = 0, engine: str = "auto", dtype: str = "float64",
            progress: bool = True, preset: str | None = None,
        ) -> Run:  # fmt: skip
            settings = {name: value for name, value in locals().items() if name not in ("seen", "progress")}
            seen.asked.append(settings | {"progress": progress})
            run = make_run(updates=updates, config_=config.describe(**settings))
            if seen.outcome == "interrupted":
                raise KeyboardInterrupt
            if seen.outcome in ("diverged", "stopped"):
                part = dataclasses.replace(run, result=run.result | {"updates": 7, "test_loss": float("nan")})
                error = Diverged("update 7: the loss is not finite; try a lower --optimizer.lr", part)
                raise error if seen.outcome == "diverged" else Interrupted(part)
            return run

        self.train = train


class Recipes:
    """Stands where `neuroanp.recipes` does."""

    PRESETS = ("best", "published")

    def presets(self, task: str) -> tuple[str, ...]:
        return self.PRESETS

    def recipe(self, task: str, preset: str) -> dict[str, Any]:
        from neuroanp.optim import Adam
        from neuroanp.optim.decorrelation import Decorrelation

        if preset == "published":
            return {"model": Net(), "rule": Nodes(mirrored=False), "decorrelation": None, "optimizer": Adam()}
        rule, decorrelation = Nodes(sigma=0.05), Decorrelation(rate=0.02)
        return {
            "model": Net(),
            "rule": rule,
            "decorrelation": decorrelation,
            "optimizer": Adam(lr=0.002),
            "updates": 30,
        }
