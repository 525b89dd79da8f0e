#!/usr/bin/env bash
# Brian2: "n %= 3" of a negative integer has C's sign on C++ standalone, "n = n % 3" Python's.
#
# Versions   brian2 2.9.0 (NumPy 2.3.5, Python 3.11); the same values seen with brian2 2.11.0 (Python 3.13).
# Behaviour  `n` and `m` are declared `integer` and hold -7, 5, 9, -2; the operation is "n %= 3; m = m % 3". C++
#            standalone renders `%` in an expression by a function with Python's sign, and hands `%=` on to C++.
# Seen       numpy: n = [2, 2, 0, 1], m = [2, 2, 0, 1]
#            cpp_standalone: n = [-1, 2, 0, -2], m = [2, 2, 0, 1]
# A guess    would have been that `n %= 3` is `n = n % 3`, on every target.
# Matters    because a phase or an index that is wrapped in place turns negative, or out of range, in the mode that is
#            used for long runs. Write n = n % 3.
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
cells = b2.NeuronGroup(4, "n : integer\nm : integer")
cells.n = cells.m = [-7, 5, 9, -2]
cells.run_regularly("n %= 3; m = m % 3")
b2.run(b2.defaultclock.dt)
print(f"{target}: n = {cells.n[:].tolist()}, m = {cells.m[:].tolist()}")
PYTHON

cd "$dir"
export TMPDIR="$dir"
seen=$(for target in numpy cpp_standalone; do "$dir/venv/bin/python" trial.py "$target"; done)
echo "$seen"
expected="numpy: n = [2, 2, 0, 1], m = [2, 2, 0, 1]
cpp_standalone: n = [-1, 2, 0, -2], m = [2, 2, 0, 1]"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
