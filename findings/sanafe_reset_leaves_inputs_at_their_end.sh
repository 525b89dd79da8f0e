#!/usr/bin/env bash
# SANA-FE: after chip.reset() the same trial is another one: inputs don't start again, potentials not where they were.
#
# Versions   sanafe 2.2.9 (Python 3.11; it needs no other package).
# Behaviour  One cell without leak, threshold 10, starts at potential 8 and gets a spike of weight 3 in each of 5 steps
#            of 20. The trial is simulated, then reset() is called and it is simulated again, as often as asked.
#            reset() zeroes potentials, whatever the attribute "potential" said, and leaves the list of input spikes
#            where it had come to, at its end; every trial but the first gets no input. No message.
# Seen       trial 1: spikes at steps 1 5, 5 synaptic events
#            trial 2: spikes at steps none, 0 synaptic events
#            trial 3: spikes at steps none, 0 synaptic events
# A guess    would have been three equal trials: the help of reset() says that all neuron states and hardware buffers
#            go back to initial conditions.
# Matters    because energies and times of several trials are means of one trial and of silence. Load a new
#            SpikingChip for each trial, or lay the trials one behind the other in the lists of spikes.
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

description = sanafe.load_loihi()
network = sanafe.Network()
source = network.create_neuron_group("source", 1, soma_hw_name="loihi_inputs[0]")
cell = network.create_neuron_group(
    "cell",
    1,
    model_attributes={"threshold": 10.0, "reset_mode": "hard", "leak_decay": 1.0, "potential": 8.0},
    soma_hw_name="loihi_lif",
    default_synapse_hw_name="loihi_dense_synapse",
    default_dendrite_hw_name="loihi_dendrites",
    log_spikes=True,
)
source[0].set_attributes(model_attributes={"spikes": [1] * 5 + [0] * 15})
source.connect_neurons_dense(cell, {"weight": [3.0]})
source[0].map_to_core(description.tiles[0].cores[0])
cell[0].map_to_core(description.tiles[0].cores[1])
chip = sanafe.SpikingChip(description)
chip.load(network)
for trial in (1, 2, 3):
    record = chip.sim(20, spike_trace=True)
    steps = [str(t) for t, fired in enumerate(record["spike_trace"]) for c in fired if c.group_name == "cell"]
    print(f"trial {trial}: spikes at steps {' '.join(steps) or 'none'}, {record['spikes']} synaptic events")
    chip.reset()
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py | grep '^trial')
echo "$seen"
expected="trial 1: spikes at steps 1 5, 5 synaptic events
trial 2: spikes at steps none, 0 synaptic events
trial 3: spikes at steps none, 0 synaptic events"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
