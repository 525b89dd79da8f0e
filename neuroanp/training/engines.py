"""Engines by name, and the training loop that each needs."""

from __future__ import annotations

import importlib
from typing import Any, Literal

from neuroanp.errors import InvalidValue
from neuroanp.training.jax_options import Jax

ENGINES = Literal["auto", "compiled", "runtime", "jax"]
"""Engines of a training: those of Brian2's networks, see `neuroanp.engine`, and JAX."""

LOOPS = {"jax": ("neuroanp.training.jax_loop", "JaxTrainer")}
"""Module and class of the loops of engines that have their own, imported when they are asked for."""


def loop_of(engine: Any, usual: type) -> type:
    """Class of the training loop of an engine, `usual` for those without one of their own."""
    if not isinstance(engine, str) or engine not in LOOPS:
        return usual
    module, name = LOOPS[engine]
    loop: type = getattr(importlib.import_module(module), name)
    return loop


def own_options(engine: str, jax: Jax | None) -> dict[str, Any]:
    """Arguments of a trainer that its engine alone has; `InvalidValue` for those of another."""
    if engine != "jax" and jax not in (None, Jax()):
        raise InvalidValue("train.jax", f"none for engine {engine}", jax)
    return {"jax": jax or Jax()} if engine == "jax" else {}
