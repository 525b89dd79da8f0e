"""One small network with about everything that has state, for the tests that run it in many ways."""

import dataclasses

import brian2 as b2
import numpy as np
from brian2 import ms

#: The names that the equations leave open, for tests that don't change them.
NAMES = {"tau": 5 * ms, "limit": 1.0, "gain": 0.3, "stimulus": b2.TimedArray([0.2, 0.4, 0.3], dt=2 * ms)}


@dataclasses.dataclass
class Circuit:
    """Cells with recurrent connections, fed by listed spikes on delays of each synapse's own."""

    source: b2.SpikeGeneratorGroup
    cells: b2.NeuronGroup
    feed: b2.Synapses
    recurrent: b2.Synapses
    course: b2.StateMonitor
    spikes: b2.SpikeMonitor
    net: b2.Network

    def result(self):
        """What a test compares, as copies."""
        return {
            "v": np.array(self.course.v),
            "t": np.array(self.course.t_),
            "spike_t": np.array(self.spikes.t_),
            "spike_i": np.array(self.spikes.i),
            "count": np.array(self.spikes.count),
            "now": np.array([float(self.net.t_), *self.cells.v, *self.recurrent.w]),
        }


def circuit(suffix="", noise=False, namespace=None):
    """A new circuit; `suffix` ends its objects' names, `noise` adds random numbers."""
    current = "drive + stimulus(t)" + (" + 0.3*xi*tau**0.5" if noise else "")
    source = b2.SpikeGeneratorGroup(
        3, [0, 1, 2, 0, 1, 2, 0], [0.5, 1, 2, 3.2, 4, 4.9, 7] * ms, period=8 * ms, name=f"source{suffix}"
    )
    cells = b2.NeuronGroup(
        6,
        f"""dv/dt = ({current} - v)/tau : 1 (unless refractory)
            drive : 1""",
        threshold="v > limit", reset="v = 0", refractory=1 * ms, method="euler", namespace=namespace,
        name=f"cells{suffix}",
    )  # fmt: skip
    cells.v, cells.drive = "0.1*i", "0.6 + 0.05*i"
    feed = b2.Synapses(source, cells, "w : 1", on_pre="v_post += w", name=f"feed{suffix}")
    feed.connect()
    feed.w, feed.delay = "0.2 + 0.05*i", "(0.3 + 0.4*i + 0.2*j)*ms"
    recurrent = b2.Synapses(
        cells, cells, "w : 1", on_pre="v_post += gain*w; w *= 0.95", on_post="w += 0.01", delay=1.1 * ms,
        namespace=namespace, name=f"recurrent{suffix}",
    )  # fmt: skip
    recurrent.connect("i != j")
    recurrent.w = "0.5 + 0.1*sin(i + 2*j)"
    course = b2.StateMonitor(cells, "v", record=True, name=f"course{suffix}")
    spikes = b2.SpikeMonitor(cells, name=f"spikes{suffix}")
    net = b2.Network(source, cells, feed, recurrent, course, spikes, name=f"net{suffix}")
    return Circuit(source, cells, feed, recurrent, course, spikes, net)


def assert_same(ours, theirs, rtol=1e-12):
    """The same results, times to the bit, the others where `rtol` is 0."""
    for key, expected in theirs.items():
        assert ours[key].shape == expected.shape, key
        if key in ("t", "spike_t"):
            np.testing.assert_array_equal(ours[key], expected, err_msg=key)
        np.testing.assert_allclose(ours[key], expected, rtol=rtol, atol=rtol, err_msg=key)
