#!/usr/bin/env bash
# Brian2: on C++ standalone an integer that is divided is rounded to single precision, whatever the float type.
#
# Versions   brian2 2.9.0 (NumPy 2.3.5, Python 3.11); brian2 2.11.0 renders the division in the same way.
# Behaviour  `n` is declared `integer` and holds 20000001; the operation is "x = n/(i + 3.0); y = n/(i + 3)" with i = 0,
#            and all floats have their default type, float64. C++ standalone multiplies the numerator by the
#            literal 1.0f, to avoid C's integer division, which makes it a single-precision float.
# Seen       numpy: x = 6666667.0, y = 6666667.0
#            cpp_standalone: x = 6666666.666666667, y = 6666666.5
# A guess    would have been float64 on both, as `core.default_float_dtype` says.
# Matters    because counters of events, steps or indices above 2**24 lose their last digits silently, in the mode
#            that is used for long runs. Write 1.0*n/m to divide in double precision.
#
# Needs g++ and make. Exit status: 0 as described, 1 if the behaviour changed, 2 if a tool is missing.
set -euo pipefail
shopt -s inherit_errexit

for tool in g++ make; do
    command -v "$tool" >/dev/null || { echo "not checked: $tool is missing" >&2; exit 2; }
done
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'brian2==2.9.0' 'numpy<2.4'

cat >"$dir/trial.py" <<'PYTHON'
import sys

import brian2 as b2

target = sys.argv[1]
if target == "numpy":
    b2.prefs.codegen.target = "numpy"
else:
    b2.set_device("cpp_standalone", directory="build")
cell = b2.NeuronGroup(1, "n : integer\nx : 1\ny : 1")
cell.n = 20000001
cell.run_regularly("x = n/(i + 3.0); y = n/(i + 3)")
b2.run(b2.defaultclock.dt)
print(f"{target}: x = {float(cell.x[0])}, y = {float(cell.y[0])}")
PYTHON

cd "$dir"
export TMPDIR="$dir"
seen=$(for target in numpy cpp_standalone; do "$dir/venv/bin/python" trial.py "$target"; done)
echo "$seen"
expected="numpy: x = 6666667.0, y = 6666667.0
cpp_standalone: x = 6666666.666666667, y = 6666666.5"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
