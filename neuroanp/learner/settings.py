"""Checks of a learner's settings, before anything is simulated."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from brian2 import Network, get_dimensions, second
from brian2.devices.device import RuntimeDevice, get_device
from brian2.synapses.synapses import SummedVariableUpdater

from neuroanp.config.part import options
from neuroanp.errors import InvalidValue
from neuroanp.learner.learned import Learned
from neuroanp.learner.loss import Slope
from neuroanp.learner.perturbed import Perturbed
from neuroanp.network.layout import Passes
from neuroanp.reward import InputCritic, Modulator, NoiseCritic, OtherLanes
from neuroanp.rules import NodeRule


def triples(field: str, entries: Any) -> list[tuple[Any, str, Any]]:
    """Entries of `perturb` or `learn`, each of them three."""
    first = {"perturb": "NeuronGroup, variable, sigma", "learn": "Synapses, weight variable, scale"}[field]
    for entry in entries:
        if not isinstance(entry, tuple) or len(entry) != 3:
            raise InvalidValue(f"Learner.{field}", f"tuples ({first})", str(entry))
    return list(entries)


def check_network(net: Any, groups: list[Any]) -> None:
    """Check that a network has these groups, and that the device in force can run it."""
    if not isinstance(net, Network):
        raise InvalidValue("Learner.net", "a brian2.Network", type(net).__name__)
    device = get_device()
    if not isinstance(device, RuntimeDevice):
        expected = "Brian2's runtime device or set_device('neuroanp')"
        raise InvalidValue("Learner.net", expected, type(device).__name__)
    for group in groups:
        if not any(group is obj for obj in net.objects):
            name = getattr(group, "name", repr(group))
            raise InvalidValue("Learner.net", f"a Network that '{name}' was added to", f"'{net.name}'")
        if group.variables["i"].device is not device:
            expected = f"'{group.name}' made under the device that is set now"
            raise InvalidValue("Learner.net", expected, "another device")


def passes(rule: Any, modulator: Any) -> Passes:
    """Passes of a trial, for a rule and a modulator that can do with one lane."""
    if not isinstance(rule, NodeRule):
        expected = "a rule of noise on nodes, such as NodePerturbation or ActivityPerturbation"
        raise InvalidValue("Learner.rule", expected, type(rule).__name__)
    if rule.sigma != options(type(rule))["sigma"][0].default:
        raise InvalidValue("Learner.rule", "sigma in `perturb`, with its unit, not in the rule", rule.sigma)
    if not isinstance(modulator, Modulator):
        raise InvalidValue("Learner.modulator", "a Modulator", type(modulator).__name__)
    if isinstance(modulator.baseline, (OtherLanes, InputCritic, NoiseCritic)):
        name = type(modulator.baseline).__name__
        raise InvalidValue("Learner.modulator", "baseline OtherPass() or RunningMean()", f"{name}()")
    return Passes(modulator.passes(rule.passes))


def steps(duration: Any, parts: Sequence[Any], readout: Any) -> int:
    """Steps of a trial, the same for all groups."""
    if get_dimensions(duration) is not second.dim or np.ndim(duration) or not 0 < float(duration) < math.inf:
        raise InvalidValue("Learner.duration", "a time above 0", duration)
    groups = {part.group if isinstance(part, Perturbed) else part.synapses for part in parts}
    lengths = {float(group.clock.dt_) for group in [*groups, *([readout] if readout is not None else [])]}
    if len(lengths) > 1:
        raise InvalidValue("Learner", "one dt for what is perturbed, learns or is read out", sorted(lengths))
    dt = lengths.pop()
    count = round(float(duration) / dt)
    if abs(count * dt - float(duration)) > 1e-6 * dt:
        raise InvalidValue("Learner.duration", f"a multiple of dt ({dt * second})", duration)
    return count


def perturbed_variables(net: Any, perturb: Sequence[Any], rule: NodeRule) -> list[Perturbed]:
    """Variables that take the noise, each with a stream of its own."""
    summed = {obj.target_var for obj in net.sorted_objects if isinstance(obj, SummedVariableUpdater)}
    return [
        Perturbed(*entry, rule=rule, stream=stream, summed=summed) for stream, entry in enumerate(perturb)
    ]


def slope_of_readout(
    learned: list[Learned], loss: Any, readout: Any, namespace: Mapping[str, Any]
) -> Slope | None:
    """Derivative of the loss for the weights that learn by the delta rule, where there are any."""
    written = {term.use.written.name for each in learned for term in each.terms if term.layer is None}
    if len(written) > 1:
        raise InvalidValue("Learner.learn", "one variable of the readout", ", ".join(sorted(written)))
    return Slope(loss, readout, written.pop(), namespace) if written else None
