#!/usr/bin/env bash
# Brian2: a block that Cython cannot compile is left out, and the simulation goes on without it.
#
# Versions   brian2 2.9.0 with Cython 3.3.1 (NumPy 2.3.5, Python 3.11); Cython 3.0.12 and 3.2.4, and brian2 2.11.0
#            on Python 3.13, left such a block out as well.
# Behaviour  The reset is "level = 10 * v; v = 0" with an `integer` level. Cython refuses to put a double into an int.
#            Its message goes to stderr, but run() raises nothing, Brian2 logs nothing, and the process ends with 0.
#            The whole block is missing, "v = 0" too: a cell that reaches its threshold once fires in every step.
# Seen       numpy: 10 spikes, v = 0.0, level = 5
#            cython: 46 spikes, v = 5.0, level = 0
# A guess    would have been an exception at the start of the run, or a warning and the NumPy target for that block.
# Matters    because Cython is what Brian2 takes by default where there is a compiler. In a sweep of which only
#            results and exit states are kept, a network without its resets (or plasticity) looks like a finished run.
#            Write level = int(10 * v), and compare a short run with one of the NumPy target.
#
# Needs g++. Exit status: 0 as described, 1 if the behaviour changed, 2 if a tool is missing.
set -euo pipefail
shopt -s inherit_errexit

command -v g++ >/dev/null || { echo "not checked: g++ is missing" >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'brian2==2.9.0' 'cython==3.3.1' 'numpy<2.4'

cat >"$dir/trial.py" <<'PYTHON'
import sys

import brian2 as b2

b2.prefs.codegen.target = sys.argv[1]
b2.prefs.codegen.runtime.cython.cache_dir = "cache"
b2.defaultclock.dt = 1 * b2.ms
cell = b2.NeuronGroup(1, "v : 1\nlevel : integer", threshold="v > 0.45", reset="level = 10 * v\nv = 0")
cell.run_regularly("v += 0.1")
spikes = b2.SpikeMonitor(cell)
b2.run(50 * b2.ms)
print(f"{sys.argv[1]}: {spikes.num_spikes} spikes, v = {cell.v[0]:.1f}, level = {cell.level[0]}")
PYTHON

cd "$dir"
export TMPDIR="$dir"
seen=$(for target in numpy cython; do "$dir/venv/bin/python" trial.py "$target" 2>"$target.txt"; done)
echo "$seen"
expected="numpy: 10 spikes, v = 0.0, level = 5
cython: 46 spikes, v = 5.0, level = 0"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
if ! grep -q "Error compiling Cython file" cython.txt || grep -Eq "WARNING|ERROR" cython.txt; then
    echo "changed: expected Cython's message and none of Brian2's, got" >&2
    cat cython.txt >&2
    exit 1
fi
