"""Host of a learning core: the commands of a trial."""

from __future__ import annotations

import abc
from collections.abc import Mapping
from typing import Any

import numpy as np

from neuroanp.hardware.export.rtl_core import Core
from neuroanp.hardware.export.rtl_logic import JUDGE, LEARN, PERTURB, REST, STEP
from neuroanp.hardware.integer_chip import IntegerChip
from neuroanp.substrate.machine import Judge, Pass
from neuroanp.substrate.sums import GATES, broadcast_integers
from neuroanp.types import Array, Arrays

Ports = dict[str, int]


class CoreHost(abc.ABC):
    """Host that runs the trials of a chip on a core, as an `IntegerMachine` runs them.

    Parameters
    ----------
    chip : IntegerChip
    core : Core
    """

    def __init__(self, chip: IntegerChip, core: Core) -> None:
        self.core, self.network, self.blocks = core, chip.network, chip.blocks
        self.output = self.blocks.formats["readout"]["y"]
        perturbs = any(self.network.sigma(name) > 0 for name in self.network.synapses)
        self._perturbs = perturbs

    @abc.abstractmethod
    def command(self, code: int, ports: Ports) -> None:
        """Command with the values of some ports; the others keep theirs."""

    @abc.abstractmethod
    def result(self) -> tuple[Array, Array]:
        """Outputs (n_out,) and spikes (N,) as integers."""

    def perturb_weights(self, index: int) -> None:
        """Draw the noise of a trial on weights."""
        if self._perturbs:
            self.command(PERTURB, {})

    def play(self, shown: Pass, judge: Judge | None) -> Array:
        """Pass of a trial; see `Machine.play`."""
        self.command(REST, {})
        wanted = self.output.quantized(shown.targets)
        outputs = np.empty((len(shown.inputs), 1, self.network.n_out))
        hold = self.network.perturbation.hold_steps or 1
        for step, bits in enumerate(shown.inputs[:, 0]):
            numbers = shown.numbers(step)
            ports = {
                "u": _packed(bits),
                "redraw": int(step % hold == 0),
                "quiet": int(judge is None),
            }
            ports |= {f"target{k}": int(value) for k, value in enumerate(wanted[step, 0])}
            ports |= {gate: int(numbers[gate]) for gate in GATES if gate in numbers}
            self.command(STEP, ports | self.scalars(STEP, dict.fromkeys(self.network.synapses, numbers)))
            outputs[step, 0] = self.result()[0] / self.output.scale
            if judge is not None:
                numbers |= judge(step, outputs[step])
                self.command(JUDGE, self.scalars(JUDGE, dict.fromkeys(self.network.synapses, numbers)))
        return outputs

    def learn(self, numbers: Mapping[str, Mapping[str, Any]]) -> None:
        """End of a trial; see `Machine.learn`."""
        self.command(LEARN, self.scalars(LEARN, numbers))

    def scalars(self, command: int, numbers: Mapping[str, Mapping[str, Any]]) -> Ports:
        """Broadcast numbers of a command, by port."""
        ports: Ports = {}
        for scalar in self.core.scalars:
            if command in scalar.commands:
                value = broadcast_integers({scalar.source: scalar.format}, numbers[scalar.projection])
                ports[scalar.port] = int(np.ravel(value[scalar.source])[0])
        return ports


class Recorder(CoreHost):
    """Host without a core: the commands, each with the outputs and spikes that the integers give.

    Attributes
    ----------
    commands : list of (int, dict, (outputs, spikes) or None)
        After a step with what the core has to show.
    """

    def __init__(self, chip: IntegerChip, core: Core) -> None:
        super().__init__(chip, core)
        self.machine = chip.machine
        self.commands: list[tuple[int, Ports, tuple[Array, Array] | None]] = []

    def command(self, code: int, ports: Ports) -> None:
        self.commands.append((code, ports, None))

    def perturb_weights(self, index: int) -> None:
        super().perturb_weights(index)
        self.machine.perturb_weights(index)

    def play(self, shown: Pass, judge: Judge | None) -> Array:
        judged: list[Mapping[str, Any]] = []
        results: list[tuple[Array, Array]] = []

        def listening(step: int, outputs: Array) -> Mapping[str, Any]:
            cells = self.machine.cells
            results.append((cells["readout"]["y"][0].copy(), self.machine.spikes[0].copy()))
            judged.append(judge(step, outputs) if judge else {})
            return judged[-1]

        outputs = self.machine.play(shown, listening)
        self._shown = iter(results)
        super().play(shown, lambda step, outputs: judged[step])
        return outputs

    def result(self) -> tuple[Array, Array]:
        result = next(self._shown)
        code, ports, _ = self.commands[-1]
        self.commands[-1] = code, ports, result
        return result

    def learn(self, numbers: Mapping[str, Mapping[str, Any]]) -> None:
        super().learn(numbers)
        self.machine.learn(numbers)

    @property
    def synapses(self) -> dict[str, Arrays]:
        """Variables of the synapses, as of `IntegerMachine`."""
        return self.machine.synapses


def _packed(bits: Array) -> int:
    return sum(int(bit) << k for k, bit in enumerate(bits))
