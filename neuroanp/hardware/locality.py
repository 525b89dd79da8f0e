"""`locality`: needs of a rule in one synapse, in one neuron and in a broadcast, as a table."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from neuroanp.optim import Adam, Chain, Clip, Stage
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import Rule
from neuroanp.rules.rate_penalty import RatePenalty
from neuroanp.substrate.fixed_point import FixedPoint
from neuroanp.synapse import BROADCAST, NETWORK, Neuron, NotLocal, Synapse

BITS = (32, 64)

ON_CHIP = ("W_in", "W_rec", "W_out")
"""Weights of the models that `OnChip` runs."""

CELLS_WORK = NotLocal(
    quantity="variables of a cell that the rule gives it, which only OnChip has",
    variant="NodePerturbation with Modulator(baseline=RunningMean())",
)

ASSUMED = """\
bits        every variable is one floating-point number, float32 or float64 (what is simulated), the weight
            too; weight_noise is counted as stored, a generator that can repeat it saves it"""

INTEGERS = """\
bits        of a network in whole numbers whose cells spike (`IntegerChip`): a trace is 1 bit, noise of sign
            distribution too"""

OPERATIONS = """\
operations  additions, multiplications, divisions, powers and function calls of one synapse, signs included;
            what is made of constants and broadcast numbers alone is the same for all and not counted, nor
            is the sending of the trace"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Locality:
    """Needs of a rule in each synapse; printed, a table.

    Parameters
    ----------
    rule : Rule
    modulator : Modulator
    optimizer : Stage
    synapses : mapping
        By weight name: a `Synapse`, or `NotLocal`, which names the missing quantity.
    numbers : FixedPoint, optional
        Integers whose bits are counted, of cells that spike; floating point when left out.
    """

    rule: Rule
    modulator: Modulator
    optimizer: Stage
    synapses: Mapping[str, Synapse | NotLocal]
    numbers: FixedPoint | None = None

    @property
    def missing(self) -> dict[str, NotLocal]:
        """Quantities that a synapse needs and can't know, by weight name; empty for a local rule."""
        return {name: synapse for name, synapse in self.synapses.items() if isinstance(synapse, NotLocal)}

    @property
    def local(self) -> bool:
        """True if every synapse can learn alone."""
        return not self.missing

    @property
    def passes(self) -> tuple[str, ...]:
        """Passes of a trial, which follow one another."""
        return self.modulator.passes(self.rule.passes)

    def line(self) -> str:
        """Line in place of the table: the highest costs of a synapse, or the missing quantity."""
        for missing in self.missing.values():
            return str(missing)
        costs = [
            (1 + len(synapse.state), _per_step(synapse), synapse.operations(synapse.each_trial))
            for synapse in self.synapses.values()
            if isinstance(synapse, Synapse)
        ]
        variables, step, trial = map(max, zip(*costs, strict=True))
        return f"local: {variables} variables a synapse, {step} operations a step, {trial} a trial"

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        name = self.rule.name
        alone = "local: a synapse needs its two neurons and what is broadcast, nothing else"
        yield f"{name} is {alone if self.local else 'not local'}."
        baseline, optimizer = self.modulator.baseline.name, type(self.optimizer).__name__
        passes = ", then ".join(self.passes)
        yield f"passes of a trial: {passes}; baseline: {baseline}; optimizer: {optimizer}"
        if isinstance(self.modulator.baseline, RunningMean) and self.local:
            yield "the reward unit keeps one expected loss for each step of a trial"
        grouped: dict[str, list[str]] = {}
        for weights, synapse in self.synapses.items():
            text = "\n".join(_not_local(synapse) if isinstance(synapse, NotLocal) else self._table(synapse))
            grouped.setdefault(text, []).append(weights)
        for text, names in grouped.items():
            yield f"\n{', '.join(names)}\n{text}"
        if self.local and self.rule.neuron is not None:
            yield from self._cell(self.rule.neuron)
        if self.local:
            yield f"\n{INTEGERS if self.numbers else ASSUMED}\n{OPERATIONS}"
        yield "\nwith other settings"
        yield from self._others()

    def _table(self, synapse: Synapse) -> Iterator[str]:
        if not synapse.learns:
            yield _row("fixed", "does not learn")
            return
        statements = {
            "weight in force": "" if synapse.transmits == "weight" else synapse.transmits,
            "each step": synapse.eligibility,
            "after reward": synapse.credit,
            "end of trial": synapse.each_trial,
        }
        for when, code in statements.items():
            for place, statement in enumerate(code.splitlines()):
                yield _row("" if place else when, statement)
        variables = list(dict.fromkeys(("weight", *synapse.state)))
        yield _row("per synapse", f"{', '.join(variables)}: {self._synapse_bits(synapse, variables)}")
        pre, post = (
            [name.removesuffix(f"_{side}") for name in synapse.reads(side)] for side in ("pre", "post")
        )
        sides = [
            f"{side}synaptic {', '.join(names)}" for side, names in (("pre", pre), ("post", post)) if names
        ]
        seen = {*pre, *post}
        yield _row("per neuron", f"{'; '.join(sides)}: {self._neuron_bits(seen)}" if seen else "nothing")
        for place, name in enumerate(synapse.reads("broadcast")):
            yield _row("" if place else "broadcast", f"{name}, {BROADCAST[name]}")
        constants = [f"{name} {_text(value)}" for name, value in synapse.constants.items()]
        constants += [f"{name} of the network" for name in synapse.reads("constant") if name in NETWORK]
        if constants:
            yield _row("constants", ", ".join(constants))
        trial = synapse.operations(synapse.each_trial)
        yield _row("operations", f"{_per_step(synapse)} a step, {trial} a trial")

    def _cell(self, neuron: Neuron) -> Iterator[str]:
        yield "\na cell"
        statements = {
            "each step": neuron.before, "after spikes": neuron.after, "end of trial": neuron.forget,
        }  # fmt: skip
        for when, code in statements.items():
            for place, statement in enumerate(code.splitlines()):
                yield _row("" if place else when, statement)
        variables = [*neuron.state, *(["signal"] if "B" in self.synapses else [])]
        yield _row("per neuron", f"{', '.join(variables)}: {_bits(len(variables))}")
        if "B" in self.synapses:
            yield _row("signal", "the sum over B of the errors of all outputs, broadcast at each step")
        if any("received_pre" in s.reads("pre") for s in self.synapses.values() if isinstance(s, Synapse)):
            yield _row("received", "what reached an output in the step; explained: the sum over B of spikes")

    def _synapse_bits(self, synapse: Synapse, variables: list[str]) -> str:
        if self.numbers is None:
            return _bits(len(variables))
        single = {variable for variable in variables if f"{variable} = trace_pre" in synapse.eligibility}
        single |= {"weight_noise"} if self._signs else set()
        widths = [1 if variable in single else self.numbers.bits_of(variable) for variable in variables]
        return _sum_of(widths)

    def _neuron_bits(self, variables: set[str]) -> str:
        if self.numbers is None:
            return _bits(len(variables))
        single = {"trace"} | ({"noise"} if self._signs else set())
        widths = [1 if variable in single else self.numbers.potential_bits for variable in sorted(variables)]
        return _sum_of(widths)

    @property
    def _signs(self) -> bool:
        return self.rule.perturbation.distribution == "sign"

    def _others(self) -> Iterator[str]:
        adam = Adam()
        passes = f"passes {', then '.join(self.rule.passes)}, baseline other-pass"
        others = {
            **({} if self.rule.needs_baseline else {passes: (Modulator(), adam, None)}),
            "lanes with a common input, baseline other-lanes": (Modulator(baseline=OtherLanes()), adam, None),
            "clipping": (self.modulator, Chain(Clip(), adam), None),
            "decorrelation": (self.modulator, adam, Decorrelation()),
        }  # fmt: skip
        for title, settings in others.items():
            synapses = local_synapses(self.rule, *settings, cells_work=True).values()
            missing = [str(synapse) for synapse in synapses if isinstance(synapse, NotLocal)]
            yield f"  {title}: {missing[0] if missing else 'local'}"


def locality(
    rule: Rule,
    *,
    modulator: Modulator | None = None,
    optimizer: Stage | None = None,
    decorrelation: Decorrelation | None = None,
    rates: RatePenalty | None = None,
    numbers: FixedPoint | None = None,
) -> Locality:
    """Needs of a rule in one synapse, in one neuron and in a broadcast.

    The statements in it are those that `OnChip` runs.

    Parameters
    ----------
    rule : Rule
    modulator : Modulator, optional
        With baseline `RunningMean` when left out.
    optimizer : Stage, optional
        Adam when left out.
    decorrelation : Decorrelation, optional
    rates : RatePenalty, optional
    numbers : FixedPoint, optional
        To count the bits of `IntegerChip`.

    Examples
    --------
    >>> from neuroanp.rules import NodePerturbation
    >>> from neuroanp.optim import SGD
    >>> locality(NodePerturbation(), optimizer=SGD()).line()
    'local: 3 variables a synapse, 6 operations a step, 2 a trial'
    """
    modulator, optimizer = modulator or Modulator(baseline=RunningMean()), optimizer or Adam()
    synapses = local_synapses(rule, modulator, optimizer, decorrelation, rates, cells_work=True)
    return Locality(rule=rule, modulator=modulator, optimizer=optimizer, synapses=synapses, numbers=numbers)


def _per_step(synapse: Synapse) -> int:
    return synapse.operations(synapse.transmits) + synapse.operations(synapse.each_step)


def _not_local(missing: NotLocal) -> Iterator[str]:
    yield _row("missing", missing.quantity)
    yield _row("local is", missing.variant)


def _text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, (int, float)) else str(value)


def _bits(count: int) -> str:
    return " or ".join(str(bits * count) for bits in BITS) + f" bits ({count} variable{'s' * (count != 1)})"


def _sum_of(widths: list[int]) -> str:
    terms = f"{' + '.join(map(str, widths))} = " if len(widths) > 1 else ""
    return f"{terms}{sum(widths)} bit{'s' * (sum(widths) != 1)}"


def _row(title: str, text: str) -> str:
    return f"  {title:<16}{text}"


def local_synapses(
    rule: Rule,
    modulator: Modulator,
    optimizer: Stage,
    decorrelation: Decorrelation | None = None,
    rates: RatePenalty | None = None,
    *,
    cells_work: bool = False,
) -> dict[str, Synapse | NotLocal]:
    """Declaration of one synapse of each projection for a trial, or the reason that there is none.

    Parameters
    ----------
    rule, modulator, optimizer, decorrelation, rates
        As in `locality`.
    cells_work : bool
        True where cells can have variables and statements of the rule, and feedback synapses.

    Returns
    -------
    dict
        By ``"W_in"``, ``"W_rec"`` and ``"W_out"``, and ``"B"`` where the rule has feedback synapses.
    """
    missing = modulator.not_local or (decorrelation.not_local if decorrelation else None)
    if missing:
        return dict.fromkeys(ON_CHIP, missing)
    passes = modulator.passes(rule.passes)
    if rule.neuron is not None and not cells_work:
        return dict.fromkeys(ON_CHIP, CELLS_WORK)
    names = ON_CHIP if rule.feedback_start(1, 1) is None else (*ON_CHIP, "B")
    penalties = {name: rates.synapse(name, passes) if rates else Synapse() for name in names}
    return {name: _whole(rule.synapse(name, passes), penalties[name], optimizer.synapse()) for name in names}


def _whole(rule: Synapse | NotLocal, *others: Synapse | NotLocal) -> Synapse | NotLocal:
    """Work of a rule and of what follows it; the rule's alone where it estimates no gradient."""
    whole = rule
    for other in others if isinstance(rule, NotLocal) or "gradient" in rule.state else ():
        if isinstance(whole, NotLocal):
            break
        whole = other if isinstance(other, NotLocal) else whole.then(other)
    return whole
