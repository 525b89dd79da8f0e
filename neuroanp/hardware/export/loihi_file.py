"""`loihi_file`: the rule of a trained network as microcode in a file."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np

from neuroanp import storage
from neuroanp.config import checks
from neuroanp.errors import InvalidValue
from neuroanp.hardware.export.loihi import SIZES, LoihiRule, microcodes
from neuroanp.hardware.export.nir import length_of_step, require_place
from neuroanp.hardware.locality import local_synapses
from neuroanp.optim import ShiftSGD, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.training.run import Run


def loihi_file(
    run: Run,
    path: Path | str,
    *,
    modulator: Modulator | None = None,
    optimizer: Stage | None = None,
    modulator_size: float = 0.1,
) -> LoihiRule:
    """Write the microcode of each projection of a run as JSON.

    ``projections`` has by weight name the equations, traces, third factors and units of `Microcode`;
    the largest weight there is twice the run's largest.

    Parameters
    ----------
    run : Run
    path : Path or str
        File to write.
    modulator : Modulator, optional
        With baseline `RunningMean` when left out.
    optimizer : Stage, optional
        `ShiftSGD` when left out.
    modulator_size : float
        Typical size of the modulator, above 0.

    Returns
    -------
    LoihiRule
        Of the run.

    Raises
    ------
    InvalidValue
        For what a rule, a network or its inputs have that microcode hasn't; nothing is written.
    SaveFailed
        If the file can't be written.
    """
    checks.instance("export.loihi.run", run, Run)
    checks.number("export.loihi.modulator_size", modulator_size, {**checks.NO_BOUNDS, "above": 0.0})
    _require_spikes(run)
    modulator, optimizer = modulator or Modulator(baseline=RunningMean()), optimizer or ShiftSGD()
    rule, path = _rule(run, modulator, optimizer, modulator_size), Path(path)
    for name, missing in rule.missing.items():
        raise InvalidValue("export.loihi.run", "a rule that has microcode", f"{name}: {missing}")
    require_place("export.loihi.path", path)
    with storage.replaced(path) as draft:
        storage.write_json(draft, rule.described())
    return rule


def _rule(run: Run, modulator: Modulator, optimizer: Stage, modulator_size: float) -> LoihiRule:
    recipe = run.recipe
    synapses = local_synapses(recipe.rule, modulator, optimizer, recipe.decorrelation, recipe.rates)
    dt = length_of_step(run)
    common = {"dt": float(dt), "readout_memory": recipe.model.readout_memory(dt)}
    networks = {name: common | _sizes(run.weights[name]) for name in synapses}
    largest = max(float(np.abs(run.weights[name]).max()) for name in synapses)
    weight = 2.0 ** (math.ceil(math.log2(largest)) + 1) if largest else SIZES["weight"]
    sizes = {"weight": weight, "modulator": modulator_size, "outcome": modulator_size}
    projections = microcodes(synapses, modulator, optimizer, networks, sizes)
    return LoihiRule(rule=recipe.rule, modulator=modulator, optimizer=optimizer, projections=projections)


def _sizes(weights: Any) -> dict[str, float]:
    post, pre = weights.shape
    return {"N_pre": float(pre), "N_post": float(post)}


def _require_spikes(run: Run) -> None:
    model, where = run.recipe.model, "export.loihi.run"
    if model.threshold is None:
        raise InvalidValue(where, "cells that spike, such as lif or current-lif", model.name)
    if model.signed or model.skip or model.outgoing is not None:
        expected = "a model with all recurrent synapses, no delays, no fixed signs and no direct connection"
        raise InvalidValue(where, expected, model.name)
    if run.example is not None and not np.isin(run.example["inputs"], (0, 1)).all():
        raise InvalidValue(where, "inputs of 0 or 1, as spikes are", "a task with other inputs")
