#!/usr/bin/env bash
# NIR to MLIR: snn-mlir never uses a cell's time constant; a resistance of 1 makes a cell without memory.
#
# Versions   snn-mlir 1.0.0, nir 1.0.8 (NumPy 2.3.5, Python 3.11).
# Behaviour  The step is taken as tau / r, so that the decay 1 - dt / tau is 1 - 1 / r whatever tau is. That suits files
#            with r = tau / dt. A file with r = 1, a plain gain, gets a decay of 0, and one with r = 0.5 gets
#            -1, a potential that turns its sign each step. `check` calls all of them supported, `export` ends with 0.
# Seen       tau 0.02 s, r 1.0: supported, decay 0.00
#            tau 2.0 s, r 1.0: supported, decay 0.00
#            tau 0.02 s, r 20.0: supported, decay 0.95
#            tau 2.0 s, r 20.0: supported, decay 0.95
#            tau 0.02 s, r 0.5: supported, decay -1.00
# A guess    would have been an option for the step with decay 1 - dt / tau, or a refusal: NIR's equation is
#            tau dv/dt = v_leak - v + r i, where r is a gain of the input and carries no step.
# Matters    because a file is the way from training to a chip: one file means a cell of 20 ms to one reader and a cell
#            without memory to another, and nobody says so. Compare spikes after every conversion, not exit states.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'snn-mlir==1.0.0' 'nir==1.0.8' 'numpy<2.4'

cat >"$dir/network.py" <<'PYTHON'
import sys

import nir
import numpy as np


def pair(value):
    return np.full(2, value, dtype=np.float32)


name, tau, r = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
nodes = {
    "input": nir.Input(input_type={"input": np.array([2])}),
    "weights": nir.Linear(weight=np.eye(2, dtype=np.float32)),
    "cells": nir.LIF(tau=pair(tau), r=pair(r), v_leak=pair(0), v_threshold=pair(1), v_reset=pair(0)),
    "output": nir.Output(output_type={"output": np.array([2])}),
}
nir.write(name, nir.NIRGraph(nodes=nodes, edges=[("input", "weights"), ("weights", "cells"), ("cells", "output")]))
PYTHON

cd "$dir"
export PATH="$dir/venv/bin:$PATH"
line() { # tau in seconds, r
    local verdict decay
    python network.py net.nir "$1" "$2"
    verdict=$(snn-mlir check net.nir | sed -n 's/^supported: .*/supported/p')
    snn-mlir export net.nir -o net.mlir >/dev/null
    decay=$(sed -n 's/.*[{ ]decay_float = \([^ ]*\) .*/\1/p' net.mlir)
    LC_ALL=C printf 'tau %s s, r %s: %s, decay %.2f\n' "$1" "$2" "${verdict:-refused}" "$decay"
}
seen=$(line 0.02 1.0; line 2.0 1.0; line 0.02 20.0; line 2.0 20.0; line 0.02 0.5)
echo "$seen"
expected="tau 0.02 s, r 1.0: supported, decay 0.00
tau 2.0 s, r 1.0: supported, decay 0.00
tau 0.02 s, r 20.0: supported, decay 0.95
tau 2.0 s, r 20.0: supported, decay 0.95
tau 0.02 s, r 0.5: supported, decay -1.00"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
