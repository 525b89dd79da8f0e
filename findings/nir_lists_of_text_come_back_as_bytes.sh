#!/usr/bin/env bash
# NIR: a list of texts in the metadata is written without complaint and read as an array of bytes.
#
# Versions   nir 1.0.8, h5py 3.16.0 (NumPy 2.3.5, Python 3.11).
# Behaviour  A text in the metadata of a graph or a node comes back as it was. A list of texts, at any depth, comes back
#            as an object array of bytes, so that "v" in names is False and names == ["v"] compares nothing.
# Seen       'v' -> 'v'
#            ['v', 'w'] -> [b'v', b'w'], 'v' in it: False
#            {'names': ['v', 'w']} -> {'names': [b'v', b'w']}, 'v' in it: False
# A guess    would have been the decoding that a single text gets, or the TypeError that mixed lists get when written.
# Matters    because metadata are where a graph carries what NIR has no field for: names, units, a learning rule. Write
#            one JSON text.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'nir==1.0.8' 'h5py==3.16.0' 'numpy==2.3.5'

cat >"$dir/metadata.py" <<'PYTHON'
import nir
import numpy as np


def back(value):
    """Metadata of a graph after a file."""
    nodes = {"input": nir.Input(input_type={"input": np.array([2])}), "weights": nir.Linear(weight=np.eye(2)),
             "output": nir.Output(output_type={"output": np.array([2])})}
    edges = [("input", "weights"), ("weights", "output")]
    nir.write("net.nir", nir.NIRGraph(nodes=nodes, edges=edges, metadata={"kept": value}))
    return nir.read("net.nir").metadata["kept"]


print(repr("v"), "->", repr(back("v")))
names = back(["v", "w"])
print(["v", "w"], "->", f"{names.tolist()}, 'v' in it: {'v' in names}")
names = back({"names": ["v", "w"]})["names"]
print({"names": ["v", "w"]}, "->", f"{{'names': {names.tolist()}}}, 'v' in it: {'v' in names}")
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" -W ignore metadata.py)
echo "$seen"
expected="'v' -> 'v'
['v', 'w'] -> [b'v', b'w'], 'v' in it: False
{'names': ['v', 'w']} -> {'names': [b'v', b'w']}, 'v' in it: False"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
