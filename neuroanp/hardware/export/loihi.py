"""`loihi`: learning rules as microcode of Loihi's three-factor learning, in Lava's words."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from typing import Any

from neuroanp.config import checks, document
from neuroanp.errors import InvalidValue
from neuroanp.hardware.export._loihi_microcode import Microcode
from neuroanp.hardware.export._loihi_statements import LOCAL_RULE, NotReadableError, read
from neuroanp.hardware.export._loihi_units import Builder
from neuroanp.hardware.locality import local_synapses
from neuroanp.optim import ShiftSGD, Stage
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import Rule
from neuroanp.synapse import NETWORK, NotLocal, Synapse

FORMAT = 1

DEFAULTS = {"N_pre": 100.0, "N_post": 1.0, "dt": 1e-3, "readout_memory": math.exp(-1 / 20)}
"""Constants of a network where none is given: steps of 1 ms, one output, memory of 20 ms."""

SIZES = {"weight": 2.0, "modulator": 0.1, "outcome": 0.1}

DIFFERS = """\
in every projection
  online    weights change in each step, by the tag of the step before; the rule gathers a gradient over the
            trial and changes them at its end. The sum is the same as far as weights that move within a trial
            change nothing; where the modulator comes once, at the end of a trial, so do the changes
  lanes     trials follow one another; none are averaged
  trials    between trials the host sets tag_1 to 0, and x1 and x2 too; nothing in the microcode can
  spikes    sources send 0 or 1: cells that spike, inputs of 0 or 1
  widths    traces 0 to 127, third factors to 127, weights -256 to 255, tags -257 to 255; what is
            beyond saturates
  numbers   what is sent is rounded up or down at random, by the host
  rounding  one random number rounds all weights and all tags of a step, so their errors don't average out
  exponents are for fixed point, where a product loses 2^3 (trace times trace) or 2^5 (trace times tag). The
            same strings act 8 to 32 times stronger in Lava's floating-point model"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoMicrocode:
    """Reason why the learning of a projection has no microcode.

    Parameters
    ----------
    quantity : str
        Quantity or statement that Loihi's learning has no place for.
    variant : str
        Nearest variant that has microcode.
    """

    quantity: str
    variant: str

    def __str__(self) -> str:
        return f"no microcode: {self.quantity}; microcode has {self.variant}"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoihiRule:
    """Rule as microcode; printed, a table.

    Parameters
    ----------
    rule : Rule
    modulator : Modulator
    optimizer : Stage
    projections : mapping
        By weight name: `Microcode`, or `NoMicrocode`, which says why not.
    """

    rule: Rule
    modulator: Modulator
    optimizer: Stage
    projections: Mapping[str, Microcode | NoMicrocode]

    @property
    def missing(self) -> dict[str, NoMicrocode]:
        """Reasons by weight name; empty where every projection has microcode."""
        return {name: code for name, code in self.projections.items() if isinstance(code, NoMicrocode)}

    def line(self) -> str:
        """Line in place of the table: equations of the first projection that learns, or the first reason."""
        for missing in self.missing.values():
            return str(missing)
        codes = [code for code in self.projections.values() if isinstance(code, Microcode) and code.learns]
        return f"dw = {codes[0].dw}; dt = {codes[0].dt}" if codes else "does not learn"

    def described(self) -> dict[str, Any]:
        """Plain dictionary that JSON can hold."""
        projections = {name: dataclasses.asdict(code) for name, code in self.projections.items()}
        return document.describe(
            format=FORMAT, rule=self.rule, modulator=self.modulator, optimizer=self.optimizer,
            projections=projections, differs=DIFFERS.splitlines(),
        )  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        baseline, optimizer = self.modulator.baseline.name, type(self.optimizer).__name__
        yield f"{self.rule.name}; baseline: {baseline}; optimizer: {optimizer}"
        grouped: dict[str, list[str]] = {}
        for name, code in self.projections.items():
            text = f"  {code}" if isinstance(code, NoMicrocode) else "\n".join(code.lines())
            grouped.setdefault(text, []).append(name)
        for text, names in grouped.items():
            yield f"\n{', '.join(names)}\n{text}"
        if any(isinstance(code, Microcode) and code.learns for code in self.projections.values()):
            yield f"\n{DIFFERS}"


def loihi(
    rule: Rule,
    *,
    modulator: Modulator | None = None,
    optimizer: Stage | None = None,
    network: Mapping[str, float] | None = None,
    sizes: Mapping[str, float] | None = None,
) -> LoihiRule:
    r"""Microcode of a learning rule, made of its statements, or the reason why there is none.

    The eligibility becomes the tag: traces are never negative there. A quantity of the postsynaptic cell
    alone, noise or a trace, is sent to port y1. The modulator goes out as two factors that are never
    negative, what is to be unlearned to y2 and reward to y3, as the spike of a postsynaptic cell turns a
    negative factor into 0. For the same reason ``s_in_bap`` stays unconnected where y1 has a sign.

    Exponents make up for the bits that products lose in fixed point. What is sent is scaled such that the
    learning rate is exact; the decay of the tag is the nearest power of two. Modulators are sent as
    multiples of 32: any other product with the tag is rounded down, and weights would drift.

    Parameters
    ----------
    rule : Rule
    modulator : Modulator, optional
        With baseline `RunningMean` when left out.
    optimizer : Stage, optional
        `ShiftSGD` when left out.
    network : mapping, optional
        Numbers of a network that statements name: ``dt`` in seconds, ``readout_memory``, ``N_pre``,
        ``N_post``. Those of `DEFAULTS` when left out.
    sizes : mapping, optional
        Sizes above 0 that numbers are scaled by: of ``"weight"`` the largest (2), of what is sent the
        typical one, by its expression without the learning rate: ``"modulator"`` and ``"outcome"`` (0.1),
        ``"noise_post"`` (the deviation of the noise), others 1. A fourfold saturates.

    Returns
    -------
    LoihiRule

    Raises
    ------
    InvalidValue
        For sizes and constants that are no numbers above 0.

    Examples
    --------
    >>> from neuroanp.rules import NodePerturbation, WeightPerturbation
    >>> code = loihi(NodePerturbation(sigma=0.1), optimizer=ShiftSGD(lr=2**-7)).projections["W_rec"]
    >>> code.dw
    '-2^-3*u0*t*y2 + 2^-3*u0*t*y3'
    >>> code.dt
    '2^-2*x0*y1'
    >>> print(code.sent[0])
    320 * noise_post, each step, with the spikes that arrive in it
    >>> print(loihi(WeightPerturbation()).projections["W_rec"].quantity.partition(":")[0])
    the weight in force, weight + polarity * weight_noise

    References
    ----------
    Davies et al., IEEE Micro 38, 82 (2018), on Loihi; lava-nc 0.10.0 for the arithmetic, see `LoihiLearning`.
    """
    modulator, optimizer = modulator or Modulator(baseline=RunningMean()), optimizer or ShiftSGD()
    checks.instance("export.loihi.rule", rule, Rule)
    constants = _numbers("network", DEFAULTS, network, least=0.0)
    for name in constants.keys() - set(NETWORK):
        raise InvalidValue("export.loihi.network", f"names of {', '.join(NETWORK)}", name)
    known = _numbers("sizes", SIZES, sizes)
    synapses = local_synapses(rule, modulator, optimizer)
    networks = dict.fromkeys(synapses, constants)
    projections = microcodes(synapses, modulator, optimizer, networks, known)
    return LoihiRule(rule=rule, modulator=modulator, optimizer=optimizer, projections=projections)


def microcodes(
    synapses: Mapping[str, Synapse | NotLocal],
    modulator: Modulator,
    optimizer: Stage,
    networks: Mapping[str, Mapping[str, float]],
    sizes: Mapping[str, float],
) -> dict[str, Microcode | NoMicrocode]:
    """Microcode of each projection, or the reason why there is none, see `loihi`."""
    codes: dict[str, Microcode | NoMicrocode] = {}
    for name, synapse in synapses.items():
        rate = optimizer.broadcast(name, 0.0).get("learning_rate", 0.0)
        if isinstance(synapse, NotLocal):
            codes[name] = NoMicrocode(quantity=str(synapse), variant=LOCAL_RULE)
        elif not synapse.learns or rate == 0:
            codes[name] = Microcode()
        else:
            codes[name] = _microcode(synapse, modulator.discount, rate, networks[name], sizes)
    return codes


def _microcode(
    synapse: Synapse, discount: float, rate: float, network: Mapping[str, float], sizes: Mapping[str, float]
) -> Microcode | NoMicrocode:
    sigma = float(synapse.constants.get("sigma", 1.0))
    try:
        return Builder(read(synapse, network, discount), rate, {"noise_post": sigma, **sizes}).microcode()
    except NotReadableError as error:
        return NoMicrocode(quantity=error.quantity, variant=error.variant)


def _numbers(
    field: str, defaults: Mapping[str, float], given: Mapping[str, float] | None, least: float | None = None
) -> dict[str, float]:
    for name, value in (given or {}).items():
        number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
        if not number or value < 0 or (value == 0 and least is None):
            raise InvalidValue(f"export.loihi.{field}[{name!r}]", "a number above 0", value)
    return {**defaults, **(given or {})}
