"""`Learned`: the weights of some `Synapses`, and the credit that the rule gives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from brian2 import Synapses, get_dimensions
from brian2.core.variables import DynamicArrayVariable
from brian2.units.fundamentalunits import DIMENSIONLESS, get_unit

from neuroanp.engine.operations import ArrivalRecorder, BlockMean, Recorder
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.learner.perturbed import Perturbed
from neuroanp.learner.statements import WHERE, Use, statements, uses, written_units
from neuroanp.types import Array


class Term(NamedTuple):
    """Effect of the weights on one variable, and the record of what multiplies them."""

    use: Use
    layer: int | None
    """Number of the perturbed variable whose noise is credited; None for the readout's error."""
    recorder: Any
    lag: int
    """Steps from an arrival to the first perturbation that it is credited with."""
    width: int
    """Cells of the source of a continuous trace."""


class Learned:
    """Weights of one `Synapses` object.

    Parameters
    ----------
    synapses : Synapses
    variable : str
        Their weights.
    scale : Quantity
        Change of a weight by a step of length 1 of the optimizer, in the weight's unit, above 0.
    perturbed : sequence of Perturbed
    readout : NeuronGroup, optional
        Group whose weights learn by the delta rule.
    namespace : mapping
        Names of the user's script.

    Attributes
    ----------
    terms : list of Term
    scale : float
        In base units.

    Raises
    ------
    InvalidValue, UnknownName
        For weights that aren't a variable, of another unit, or that nothing perturbed depends on.
    """

    def __init__(
        self,
        synapses: Any,
        variable: str,
        scale: Any,
        *,
        perturbed: Sequence[Perturbed],
        readout: Any,
        namespace: Mapping[str, Any],
    ) -> None:
        self.synapses, self.variable = synapses, variable
        _check_variable(synapses, variable)
        self.scale = _scale(synapses, variable, scale)
        self.where = f"{WHERE}: '{synapses.name}'.{variable}"
        found = uses(synapses, variable, namespace)
        if not found:
            raise InvalidValue(
                self.where, f"a statement such as `ge += {variable}` in on_pre", _code(synapses)
            )
        self.terms = [self._term(use, perturbed, readout, k) for k, use in enumerate(found)]
        self.source = np.array(synapses.variables["_synaptic_pre"].get_value())
        self.target = np.array(synapses.variables["_synaptic_post"].get_value())

    @property
    def objects(self) -> list[Any]:
        """Brian2 objects to be simulated."""
        return [term.recorder for term in self.terms]

    @property
    def weights(self) -> Array:
        """The simulator's memory of the weights, (synapses,)."""
        return np.asarray(self.synapses.variables[self.variable].get_value())

    def prepare(self, steps: int) -> None:
        """Make ready for a pass; `InvalidValue` where synapses have come since the learner was made."""
        if len(self.synapses) != len(self.target):
            expected = f"the {len(self.target)} synapses that there were when the learner was made"
            raise InvalidValue(self.where, expected, f"{len(self.synapses)}")
        self._memory = [
            term.recorder.prepare(*([steps] if term.use.pathway else [(steps, term.width)]))
            for term in self.terms
        ]

    def trace(self) -> list[Any]:
        """Records of a pass, a term each, to be kept beyond the next one."""
        return [
            term.recorder.arrivals() if term.use.pathway else memory.copy()
            for term, memory in zip(self.terms, self._memory, strict=True)
        ]

    def credit(self, posts: Sequence[Array], error: Array | None, trace: Sequence[Any]) -> Array:
        r"""Sum over arrivals, or steps, of the postsynaptic factor times what multiplies the weight.

        Parameters
        ----------
        posts : sequence of (T, n) arrays
            Postsynaptic factor of each perturbed variable, the modulator in it.
        error : (T, n_out) array, optional
            Factor of the delta rule.
        trace : sequence
            From `trace`.

        Returns
        -------
        (synapses,) array: gradient with respect to weight / scale.
        """
        total = np.zeros(len(self.target))
        for term, record in zip(self.terms, trace, strict=True):
            post = error if term.layer is None else posts[term.layer]
            if post is None:
                continue
            if term.use.pathway is None:
                total += term.use.scale * np.asarray(post.T @ record)[self.target, self.source]
            else:
                step = record.step + term.lag
                inside = step < len(post)
                synapse = record.synapse[inside]
                factor = post[step[inside], self.target[synapse]] * record.gain[inside]
                total += term.use.scale * np.bincount(synapse, factor, minlength=len(total))
        return self.scale * total

    def _term(self, use: Use, perturbed: Sequence[Perturbed], readout: Any, k: int) -> Term:
        group = self.synapses.target if use.pathway is None else use.pathway.target
        group = getattr(group, "source", group)
        to_readout = readout is not None and group.name == readout.name
        layer = self._layer(use, group, perturbed)
        if layer is None and (not to_readout or use.pathway is None):
            name = use.written.name
            expected = (
                f"'{group.name}' in perturb, best with the variable '{name}' that these synapses write; "
                "or for a readout that spikes reach, `readout=` and a rule with readout='delta'"
            )
            raise InvalidValue(self.where, expected, "none of its variables perturbed")
        name = f"{self.synapses.name}_{self.variable}_{k}*"
        if use.pathway is None:
            return self._continuous(use, layer, f"trace_{name}")
        recorder = ArrivalRecorder(use.pathway, use.factor, name=f"arrivals_{name}")
        return Term(use, layer, recorder, lag=int(layer is not None), width=0)

    def _layer(self, use: Use, group: Any, perturbed: Sequence[Perturbed]) -> int | None:
        """Number of the perturbed variable that is written, or the group's only one."""
        own = [k for k, each in enumerate(perturbed) if each.group.name == group.name]
        exact = [k for k in own if group.variables[perturbed[k].variable] is use.written]
        if len(own) > 1 and not exact:
            expected = (
                f"noise in '{group.name}'.{use.written.name}, which these synapses write, or in one variable"
            )
            raise InvalidValue(self.where, expected, ", ".join(perturbed[k].variable for k in own))
        return next(iter(exact or own), None)

    def _continuous(self, use: Use, layer: int | None, name: str) -> Term:
        """Term whose trace is a variable of the source, as the sum at each step reads it."""
        source = self.synapses.source
        source = getattr(source, "source", source)
        factor = (use.factor or "").removesuffix("_pre")
        if not (use.factor or "").endswith("_pre") or factor not in source.variables:
            expected = f"{self.variable} times a variable of the source, such as `{self.variable} * x_pre`"
            raise InvalidValue(self.where, expected, str(use.factor))
        slot: dict[str, Any] = {"when": use.updater.when, "order": use.updater.order, "name": name}
        if source.variables[factor].dim is DIMENSIONLESS:
            recorder: Any = BlockMean(source, factor, block=1, **slot)
        else:
            recorder = Recorder(source, factor, **slot)
        return Term(use, layer, recorder, lag=0, width=len(source))


def _check_variable(synapses: Any, variable: str) -> None:
    if not isinstance(synapses, Synapses):
        expected = "tuples (Synapses, weight variable, scale)"
        raise InvalidValue(WHERE, expected, f"a {type(synapses).__name__}")
    where = f"{WHERE}: '{synapses.name}'"
    parameters = sorted(synapses.equations.parameter_names)
    if variable in synapses.variables and variable not in synapses.equations.names:
        raise InvalidValue(where, "a parameter with a value for each synapse", str(variable))
    if variable not in synapses.equations.names:
        line = _constant_weight(synapses)
        if line is None or parameters:
            raise UnknownName(f"{where}: weight", str(variable), parameters)
        raise InvalidValue(where, *line)
    stored = synapses.variables[variable]
    if not isinstance(stored, DynamicArrayVariable) or variable not in parameters:
        raise InvalidValue(f"{where}.{variable}", "a parameter with a value for each synapse", "another")
    if len(synapses) == 0:
        raise InvalidValue(where, "at least one synapse: call connect first", "none")


def _constant_weight(synapses: Any) -> tuple[str, str] | None:
    """Lines to write, and the line that is there, where spikes add a constant."""
    for name, written in written_units(synapses).items():
        unit = repr(get_unit(written.dim)) if written.dim is not DIMENSIONLESS else "1"
        new = (
            f"a weight that can change: write `model='w : {unit}'` and `{name} += w`, and set w after connect"
        )
        return new, f"a constant weight, `{_code(synapses)}`"
    return None


def _code(synapses: Any) -> str:
    lines = [line for pathway in synapses._pathways for line in statements(pathway.code)]
    return "; ".join(f"{name} += {increment}" for name, increment in lines) or "no statement"


def _scale(synapses: Any, variable: str, scale: Any) -> float:
    dim = synapses.variables[variable].dim
    expected = f"a scale above 0 in {get_unit(dim)!r}, as the weights '{synapses.name}'.{variable} have"
    where = f"{WHERE}: scale"
    if get_dimensions(scale) is not dim:
        raise InvalidValue(where, expected, scale)
    value = float(scale) if np.ndim(scale) == 0 else float("nan")
    if not 0 < value < float("inf"):
        raise InvalidValue(where, expected, scale)
    return value
