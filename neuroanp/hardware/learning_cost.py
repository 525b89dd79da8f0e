"""`Learning`: work and variables of the synapses that learn, counted from their statements."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

from neuroanp.hardware.export.learning import alone, as_trained, one_lane
from neuroanp.network.network import Network
from neuroanp.synapse import NotLocal, Synapse
from neuroanp.training.recipe import Recipe

VARIANT = "one lane, a running mean as baseline, without clipping and decorrelation"

NO_SKIP = NotLocal(quantity="a direct connection from input to readout (skip)", variant="skip=False")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Learning:
    """Work of the synapses that learn. Printed, rows of a table.

    Attributes
    ----------
    rule : str
    missing : NotLocal or None
        Reason that a synapse can't learn alone as the network was trained. The counts are then those of one
        lane with a running mean as baseline, without clipping and decorrelation, if these are local.
    passes : tuple of str
        Passes of a trial.
    variables : dict of int
        Number of synapses that have a variable beside their weight, by its name.
    one_bit : tuple of str
        Those that are a bit in whole numbers: copies of a spike, and noise of sign distribution.
    step, trial : int or None
        Operations of all synapses in a step of a pass, and in a trial of all passes, its end included. None
        where no variant is local.
    """

    rule: str
    missing: NotLocal | None
    passes: tuple[str, ...]
    variables: Mapping[str, int]
    one_bit: tuple[str, ...]
    step: int | None
    trial: int | None

    @classmethod
    def of(cls, recipe: Recipe, network: Network, steps: int) -> Learning:
        """Counts for a network that a recipe trained, in trials of so many steps."""
        modulator, synapses = recipe.modulator, as_trained(recipe, cells_work=True)
        missing = _missing(synapses)
        if missing is not None:
            modulator, synapses = alone(recipe), one_lane(recipe, cells_work=True)
        if network.model.skip:
            missing, synapses = NO_SKIP, dict.fromkeys(synapses, NO_SKIP)
        passes = modulator.passes(recipe.rule.passes)
        rule = recipe.rule.name
        if _missing(synapses) is not None:
            return cls(
                rule=rule, missing=missing, passes=passes, variables={}, one_bit=(), step=None, trial=None
            )
        local = {name: synapse for name, synapse in synapses.items() if isinstance(synapse, Synapse)}
        sizes = {name: network.weights["W_out" if name == "B" else name].size for name in local}
        step = sum(sizes[name] * _each_step(synapse) for name, synapse in local.items())
        end = sum(sizes[name] * synapse.operations(synapse.each_trial) for name, synapse in local.items())
        variables: dict[str, int] = {}
        for name, synapse in local.items():
            for variable in dict.fromkeys(synapse.state):
                if variable != "weight":
                    variables[variable] = variables.get(variable, 0) + sizes[name]
        return cls(
            rule=rule, missing=missing, passes=passes, variables=variables,
            one_bit=tuple(variable for variable in variables if _is_bit(variable, recipe, local)),
            step=step, trial=len(passes) * steps * step + end,
        )  # fmt: skip

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        if self.missing is None:
            yield _row("learning", f"{self.rule}, local")
        else:
            yield _row("learning", f"{self.rule}, not local as trained: {self.missing.quantity}")
            yield _row("", f"local is {self.missing.variant}")
        if self.step is not None and self.missing is not None:
            yield _row("", f"counted: {VARIANT}")
        if self.step is not None:
            yield _row("learning operations", f"{self.step:,} a step, {self.trial:,} a trial")
            yield _row("passes of a trial", ", then ".join(self.passes))


def _row(title: str, text: str) -> str:
    return f"  {title:<26}{text}"


def _missing(synapses: Mapping[str, Synapse | NotLocal]) -> NotLocal | None:
    return next((synapse for synapse in synapses.values() if isinstance(synapse, NotLocal)), None)


def _each_step(synapse: Synapse) -> int:
    """Operations of a synapse in a step, as `locality` counts them."""
    return synapse.operations(synapse.transmits) + synapse.operations(synapse.each_step)


def _is_bit(variable: str, recipe: Recipe, synapses: Mapping[str, Synapse]) -> bool:
    """True for a copy of a spike, and for noise of sign distribution."""
    if variable == "weight_noise":
        return recipe.rule.perturbation.distribution == "sign"
    own = [synapse.eligibility.splitlines() for synapse in synapses.values() if variable in synapse.state]
    return all(f"{variable} = trace_pre" in code for code in own)
