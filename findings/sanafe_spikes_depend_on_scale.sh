#!/usr/bin/env bash
# SANA-FE: on its Loihi description the same cell in larger numbers spikes, in small numbers it stays silent.
#
# Versions   sanafe 2.2.9 (Python 3.11; it needs no other package).
# Behaviour  One cell without leak, threshold 0.5, gets a spike of weight 0.01 in each of 200 steps. Weight and
#            threshold are floats; multiplied by one factor they describe the same cell. Yet each step cuts the
#            potential toward zero to a multiple of 1/64, whatever the threshold: what arrives below that grid is
#            lost. No warning; the 200 synaptic events and their energy are counted all the same.
# Seen       times 1: 0 output spikes of 200 synaptic events
#            times 3: 2 output spikes of 200 synaptic events
#            times 64: 3 output spikes of 200 synaptic events
#            times 4096: 3 output spikes of 200 synaptic events
# A guess    would have been 3 every time (a spike when the sum passes 0.5, each 51 steps), or a grid that is stated
#            and follows the threshold.
# Matters    because trained networks have thresholds near 1 and weights near 0.01. Carried over as they are, they run
#            and yield plausible joules for a network that hardly spikes. Multiply weights, biases and thresholds by
#            one large number first, and compare spikes before reading energies.
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

STEPS = 200
for scale in (1, 3, 64, 4096):
    chip_model = sanafe.load_loihi()
    network = sanafe.Network()
    source = network.create_neuron_group("source", 1, soma_hw_name="loihi_inputs[0]")
    cell = network.create_neuron_group(
        "cell",
        1,
        model_attributes={"threshold": 0.5 * scale, "reset": 0.0, "reset_mode": "hard", "leak_decay": 1.0},
        soma_hw_name="loihi_lif",
        default_synapse_hw_name="loihi_dense_synapse",
        default_dendrite_hw_name="loihi_dendrites",
        log_spikes=True,
    )
    source[0].set_attributes(model_attributes={"spikes": [1] * STEPS})
    source.connect_neurons_dense(cell, {"weight": [0.01 * scale]})
    source[0].map_to_core(chip_model.tiles[0].cores[0])
    cell[0].map_to_core(chip_model.tiles[0].cores[1])
    chip = sanafe.SpikingChip(chip_model)
    chip.load(network)
    record = chip.sim(STEPS, spike_trace=True)
    count = sum(spike.group_name == "cell" for step in record["spike_trace"] for spike in step)
    print(f"times {scale}: {count} output spikes of {record['spikes']} synaptic events")
PYTHON

cd "$dir"
seen=$("$dir/venv/bin/python" trial.py | grep '^times')
echo "$seen"
expected="times 1: 0 output spikes of 200 synaptic events
times 3: 2 output spikes of 200 synaptic events
times 64: 3 output spikes of 200 synaptic events
times 4096: 3 output spikes of 200 synaptic events"
if [ "$seen" != "$expected" ]; then
    echo "changed: expected"$'\n'"$expected" >&2
    exit 1
fi
