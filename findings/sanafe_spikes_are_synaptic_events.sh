#!/usr/bin/env bash
# SANA-FE: the number of spikes that a simulation returns is that of synaptic events.
#
# Versions   sanafe 2.2.9 (Python 3.11; it needs no other package).
# Behaviour  One source sends a spike in 7 of 10 steps, to 0, 1 or 10 cells that never fire. `spikes` of the result,
#            by the help of sim() the total spike count, counts each arrival at a synapse; a spike to nowhere is none.
# Seen       to 0 cells: spikes 0, neurons_fired 7
#            to 1 cells: spikes 7, neurons_fired 7
#            to 10 cells: spikes 70, neurons_fired 7
# A guess    would have been 7 every time.
# Matters    because rates and energies per spike from it are off by the fan-out, 100 in a network of 100 cells.
#            `neurons_fired` has the spikes, those of the inputs among them; count the cells' in spike_trace.
#
# Exit status: 0 as described, 1 if the behaviour changed.
set -euo pipefail
shopt -s inherit_errexit

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check 'sanafe==2.2.9'

cat >"$dir/trial.py" <<'PYTHON'
import sanafe

if "Total spike count" not in sanafe.SpikingChip.sim.__doc__:
    print("to read: the help of sim() says something else")
for count in (0, 1, 10):
    description = sanafe.load_loihi()
    network = sanafe.Network()
    source = network.create_neuron_group("source", 1, soma_hw_name="loihi_inputs[0]")
    source[0].set_attributes(model_attributes={"spikes": [1] * 7 + [0] * 3})
    source[0].map_to_core(description.tiles[0].cores[0])
    if count:
        cells = network.create_neuron_group(
            "cells",
            count,
            model_attributes={"threshold": 1e9},
            soma_hw_name="loihi_lif",
            default_synapse_hw_name="loihi_dense_synapse",
            default_dendrite_hw_name="loihi_dendrites",
        )
        source.connect_neurons_dense(cells, {"weight": [1.0] * count})
        for cell in cells.neurons:
            cell.map_to_core(description.tiles[0].cores[1])
    chip = sanafe.SpikingChip(description)
    chip.load(network)
    record = chip.sim(10)
    print(f"to {count} cells: spikes {record['spikes']}, neurons_fired {record['neurons_fired']}")
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py | grep '^to')
echo "$seen"
expected="to 0 cells: spikes 0, neurons_fired 7
to 1 cells: spikes 7, neurons_fired 7
to 10 cells: spikes 70, neurons_fired 7"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
