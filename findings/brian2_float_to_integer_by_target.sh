#!/usr/bin/env bash
# Brian2: a float assigned to an `integer` variable has two values at once on the NumPy target.
#
# Versions   brian2 2.9.0 (NumPy 2.3.5, Python 3.11); the same seen with brian2 2.11.0 (NumPy 2.5.5, Python 3.13).
# Behaviour  `n` is declared `integer`; the operation is "n = 2.7; x = n; above = n > 2".
#            The NumPy target stores n = 2, but the statements after the assignment still see 2.7.
#            C++ standalone cuts off at the assignment, so that they see 2. Neither warns.
# Seen       numpy: n = 2, x = 2.7, above = True
#            cpp_standalone: n = 2, x = 2.0, above = False
# A guess    would have been one result: the target is a matter of speed, and a variable that was just assigned
#            reads as what is stored in it (or the assignment is refused).
# Matters    because models are tried out on the NumPy target and run long on C++: a counter or a state index that
#            takes a rounded number decides differently there. Write n = int(2.7) to get 2 on both.
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
cell = b2.NeuronGroup(1, "n : integer\nx : 1\nabove : boolean")
cell.run_regularly("n = 2.7\nx = n\nabove = n > 2")
b2.run(b2.defaultclock.dt)
print(f"{target}: n = {cell.n[0]}, x = {cell.x[0]}, above = {bool(cell.above[0])}")
PYTHON

cd "$dir"
export TMPDIR="$dir"
seen=$(for target in numpy cpp_standalone; do "$dir/venv/bin/python" trial.py "$target"; done)
echo "$seen"
expected="numpy: n = 2, x = 2.7, above = True
cpp_standalone: n = 2, x = 2.0, above = False"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
