"""`Synapse`, `Neuron` and `NotLocal`: the work of one of them in Brian2 code, or why it can't be done alone.

The on-chip mode runs these statements, and the table of ``neuroanp locality`` reads them.
"""

from __future__ import annotations

import ast
import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from neuroanp.errors import InvalidValue

BROADCAST = {
    "modulator": "each step: the loss of the step, less what was expected of it",
    "decay": "each step: the discount, and 0 at the first step of a pass",
    "going": "each step: 0 at the first step of a pass, else 1",
    "resting": "each step: 1 at a first step that starts from rest, else 0",
    "mask": "each step: the weight of the step in the loss",
    "course": "each pass: 1 in the pass that stands for the course without noise, else 0",
    "polarity": "each pass: the sign of the noise on weights, 0 for a clean pass",
    "noisy": "each trial: 1 in a trial with noise, else 0",
    "outcome": "each trial: the discounted sum of the modulator over the trial",
    "steps": "each trial: how many steps a pass has",
    "learning_rate": "each trial: the learning rate",
    "trials": "each trial: how many trials were learned from, this one among them",
}
"""Scalars that all synapses of a projection can see, and when they change."""

OF_PROJECTION = ("learning_rate", "trials")
"""Broadcasts that differ between projections; the reward unit has the others."""

CELLS = ("membrane_memory", "membrane_drive", "threshold", "threshold_memory")
"""Constants of spiking cells: memory, drive, threshold and fading of `Cells`."""

NETWORK = ("N_pre", "N_post", "dt", "readout_memory", *CELLS)
"""Constants of a network: sizes of layers, length of a step, part of the readout left after one, `CELLS`."""

OF_CELL = ("potential", "adaptation", "rise", "awake", "trace")
"""Variables that a cell has: rise of its threshold at a spike; awake is 0 while it is refractory, else 1."""

STATEMENTS = ("eligibility", "credit", "learn", "forget")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Synapse:
    r"""One synapse: its own variables, and its statements at each step and at the end of a trial.

    With discount :math:`\gamma` and the loss :math:`m_s` of each step, less its expectation,

    .. math:: \sum_t M_t \, \mathrm{post}_t \, \mathrm{pre}_t = \sum_s m_s e_s, \qquad
              M_t = \sum_{s \ge t} \gamma^{s-t} m_s, \qquad
              e_s = \gamma \, e_{s-1} + \mathrm{post}_s \, \mathrm{pre}_s

    so a synapse that holds the eligibility e needs to know the present step alone.

    Names in the statements:

    - ``weight``, ``gradient``, the estimate that the optimizer reads, and the names in `state` are variables
      of the synapse; ``weight_noise`` is filled with noise by rules that perturb weights;
    - ``..._pre`` and ``..._post`` are variables of the two neurons: ``trace`` of the source at the step,
      ``noise`` and the ``activity`` that it perturbs (as thresholds saw it), ``y`` and ``target`` of outputs,
      and those of a rule's `Neuron`;
    - where a rule has feedback synapses, from an output (pre) to a cell (post), an output has its ``error``,
      what it ``received`` in the step and what the feedback ``explained`` of it, and a cell its ``signal``,
      the sum of all errors through its feedback;
    - `BROADCAST`, `constants` and `NETWORK` are the same for all synapses.

    Parameters
    ----------
    state : tuple of str
        Variables of the synapse beside ``weight``, zero before the first trial.
    transmits : str
        The weight in force.
    eligibility : str
        Statements at each step, as the source sends its trace: before the hidden cells move, and for the
        readout's synapses after.
    credit : str
        Statements at each step, after the reward.
    learn : str
        Statements at the end of a trial.
    forget : str
        Statements after these and the optimizer's.
    constants : mapping
        Numbers and quantities that the statements name.

    Raises
    ------
    InvalidValue
        For a name that is none of these.
    """

    state: tuple[str, ...] = ()
    transmits: str = "weight"
    eligibility: str = ""
    credit: str = ""
    learn: str = ""
    forget: str = ""
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        for field in STATEMENTS:
            object.__setattr__(self, field, joined(getattr(self, field)))
        for field in ("transmits", *STATEMENTS):
            for name in names(getattr(self, field)):
                if self.kind(name) == "unknown":
                    variables = ", ".join(("weight", "gradient", *self.state))
                    expected = f"{variables}, a name that ends in _pre or _post, a constant or a broadcast"
                    raise InvalidValue(f"Synapse.{field}", expected, name)

    def kind(self, name: str) -> str:
        """``"synapse"``, ``"pre"``, ``"post"``, ``"broadcast"``, ``"constant"`` or ``"unknown"``."""
        if name in ("weight", "gradient", *self.state):
            return "synapse"
        if name in self.constants or name in NETWORK:
            return "constant"
        if name in BROADCAST:
            return "broadcast"
        return next((side for side in ("pre", "post") if name.endswith(f"_{side}")), "unknown")

    @property
    def each_step(self) -> str:
        """Statements of each step."""
        return joined(self.eligibility, self.credit)

    @property
    def each_trial(self) -> str:
        """Statements at the end of a trial."""
        return joined(self.learn, self.forget)

    @property
    def learns(self) -> bool:
        """True where the weight changes."""
        return bool(self.each_step or self.each_trial)

    def reads(self, kind: str) -> list[str]:
        """Names of one kind in the statements, without repetition."""
        code = joined(f"weight = {self.transmits}", self.each_step, self.each_trial)
        return [name for name in dict.fromkeys(names(code)) if self.kind(name) == kind]

    def operations(self, code: str) -> int:
        """Number of operations and function calls, but for those of broadcasts and constants alone."""
        return sum(self._is_own(node) for node in ast.walk(ast.parse(_dedented(code))))

    def _is_own(self, node: ast.AST) -> bool:
        if isinstance(node, ast.AugAssign):
            return True
        if not isinstance(node, (ast.BinOp, ast.UnaryOp, ast.Compare, ast.Call)):
            return False
        return any(self.kind(name) not in ("broadcast", "constant") for name in _names(node))

    def then(self, other: Synapse) -> Synapse:
        """Both, this one first; the other's statements at the end of a trial come before this one forgets."""
        return dataclasses.replace(
            self,
            state=tuple(dict.fromkeys((*self.state, *other.state))),
            eligibility=joined(self.eligibility, other.eligibility),
            credit=joined(self.credit, other.credit),
            learn=joined(self.learn, other.learn),
            forget=joined(other.forget, self.forget),
            constants={**self.constants, **other.constants},
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Neuron:
    """One hidden cell: variables that a rule gives it, and their statements.

    Names in the statements are those of `state`, `OF_CELL`, `BROADCAST`, `NETWORK` and `constants`.

    Parameters
    ----------
    state : tuple of str
        Variables of the cell, zero before the first trial.
    before : str
        Statements at each step, as the threshold is compared.
    after : str
        Statements at each step, after spikes and reward, before synapses are credited.
    forget : str
        Statements at the end of a trial, after the synapses learned.
    constants : mapping
        Numbers and quantities that the statements name.

    Raises
    ------
    InvalidValue
        For a name that is none of these.
    """

    state: tuple[str, ...]
    before: str = ""
    after: str = ""
    forget: str = ""
    constants: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        known = {*self.state, *OF_CELL, *BROADCAST, *NETWORK, *self.constants}
        for field in ("before", "after", "forget"):
            object.__setattr__(self, field, joined(getattr(self, field)))
            for name in names(getattr(self, field)):
                if name not in known:
                    expected = f"{', '.join((*self.state, *OF_CELL))}, a constant or a broadcast"
                    raise InvalidValue(f"Neuron.{field}", expected, name)


@dataclasses.dataclass(frozen=True, kw_only=True)
class NotLocal:
    """Reason why a synapse can't do its work alone.

    Parameters
    ----------
    quantity : str
        Quantity that a synapse would have to know and can't.
    variant : str
        Nearest variant that is local.
    """

    quantity: str
    variant: str

    def __str__(self) -> str:
        return f"not local: {self.quantity}; local is {self.variant}"


UNDECLARED = NotLocal(quantity="what a synapse sees is not declared", variant="NodePerturbation")


def joined(*parts: str) -> str:
    """Statements one below the other."""
    return "\n".join(text for part in parts if (text := _dedented(part)))


def names(code: str) -> list[str]:
    """Variables in statements or an expression, in order; functions aside."""
    return list(_names(ast.parse(_dedented(code))))


def _dedented(code: str) -> str:
    return "\n".join(line.strip() for line in code.strip().splitlines())


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield node.id
    for field, value in ast.iter_fields(node):
        if isinstance(node, ast.Call) and field == "func":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _names(child)
