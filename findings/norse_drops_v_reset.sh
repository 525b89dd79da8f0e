#!/usr/bin/env bash
# NIR to norse: the reset potential of a LIF is left out, and so is a leaky readout; spikes and outputs are others.
#
# Versions   norse 1.1.0, nirtorch 2.6, nir 1.0.8, torch 2.13.0 (NumPy 2.3.5, Python 3.11).
# Behaviour  norse.torch.from_nir makes cells that reset to 0 whatever v_reset is, without an exception or a warning;
#            the spikes of v_reset 0.5 and of -1 are those of 0. An LI before the output is left out likewise: the
#            output is what should have gone into it.
# Seen       v_reset 0: 14 spikes, by NIR's equation 14
#            v_reset 0.5: 14 spikes, by NIR's equation 24
#            v_reset -1: 14 spikes, by NIR's equation 9
#            output after 100 steps: 2.0, by NIR's equation 1.3
# A guess    would have been a refusal, as spikingjelly has for both.
# Matters    because v_reset is what separates cells that start over from cells that stay near threshold, and a graph
#            that loads and spikes looks right. Compare spikes after every conversion, and form readouts yourself.
#
# Downloads torch. Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'norse==1.1.0' 'nirtorch==2.6' 'nir==1.0.8' \
    'torch==2.13.0' 'numpy==2.3.5'

cat >"$dir/spikes.py" <<'PYTHON'
import nir
import norse.torch
import numpy as np
import torch

DRIVE, STEPS, DT, TAU = 2.0, 100, 1e-3, 0.01


def one(value):
    return np.full(1, value, dtype=np.float32)


def answer(node):
    """Outputs of a node of NIR in norse, for a constant input."""
    ends = {"input": nir.Input(input_type={"input": np.array([1])}),
            "output": nir.Output(output_type={"output": np.array([1])})}
    weights = nir.Linear(weight=np.eye(1, dtype=np.float32))
    edges = [("input", "weights"), ("weights", "node"), ("node", "output")]
    module = norse.torch.from_nir(nir.NIRGraph(nodes=ends | {"weights": weights, "node": node}, edges=edges), dt=DT)
    state, outputs = None, []
    with torch.no_grad():
        for _ in range(STEPS):
            output, state = module(torch.full((1, 1), DRIVE), state)
            outputs.append(output.item())
    return outputs


for v_reset in (0, 0.5, -1):
    cell = nir.LIF(tau=one(TAU), r=one(1), v_leak=one(0), v_threshold=one(1), v_reset=one(v_reset))
    v = expected = 0
    for _ in range(STEPS):
        v += DT / TAU * (DRIVE - v)
        expected += v > 1
        v = v_reset if v > 1 else v
    print(f"v_reset {v_reset}: {sum(answer(cell)):.0f} spikes, by NIR's equation {expected}")
leaky = nir.LI(tau=one(0.1), r=one(1), v_leak=one(0))
expected = DRIVE * (1 - (1 - DT / 0.1) ** STEPS)
print(f"output after {STEPS} steps: {answer(leaky)[-1]:.1f}, by NIR's equation {expected:.1f}")
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" -W ignore spikes.py 2>errors.txt) || { cat errors.txt >&2; exit 1; }
echo "$seen"
expected="v_reset 0: 14 spikes, by NIR's equation 14
v_reset 0.5: 14 spikes, by NIR's equation 24
v_reset -1: 14 spikes, by NIR's equation 9
output after 100 steps: 2.0, by NIR's equation 1.3"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
if grep -Eq "v_reset|reset" errors.txt; then
    echo "changed: it says something" >&2
    cat errors.txt >&2
    exit 1
fi
