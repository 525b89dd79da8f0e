"""The sparse projection against Brian2's own synapses, spike for spike, and what it keeps between runs."""

import brian2 as b2
import numpy as np
import pytest
from brian2 import ms

from neuroanp.engine.operations import SparseProjection

pytestmark = pytest.mark.usefixtures("own_scope")

CELLS, OUTGOING, LANES = 12, 4, 3
STEPS, LONGEST = 150, 7
rng = np.random.default_rng(0)
TARGETS = np.array([np.sort(rng.choice(CELLS, OUTGOING, replace=False)) for _ in range(CELLS)], np.int32)
DELAYS = rng.permutation(np.arange(CELLS) % (LONGEST + 1)).astype(np.int32)
WEIGHTS = rng.normal(0.05, 0.3, CELLS * OUTGOING)


def cells(rows=LANES):
    """Cells of which each lane is driven differently."""
    group = b2.NeuronGroup(
        rows * CELLS,
        """dv/dt = (drive + up - down - v) / (10*ms) : 1 (unless refractory)
           dup/dt = -up / (4*ms) : 1
           ddown/dt = -down / (6*ms) : 1
           drive : 1""",
        threshold="v > 1", reset="v = 0", refractory=2 * ms, method="euler", name="cells",
    )  # fmt: skip
    group.drive = np.random.default_rng(1).uniform(0.8, 1.6, rows * CELLS)
    return group


def fired(group, *objects, steps=STEPS):
    monitor = b2.SpikeMonitor(group, name="spikes")
    net = b2.Network(group, monitor, *objects)
    net.run(steps * ms, namespace={})
    return np.array(monitor.i), np.round(np.array(monitor.t / ms)).astype(int), np.array(group.v)


def projection(group, **changes):
    settings = {
        "rows": LANES, "targets": TARGETS, "delays": DELAYS, "when": "synapses", "order": 1, "name": "W",
    }  # fmt: skip
    made = SparseProjection(group, group, "up", **settings | changes)
    made.weights[:] = np.resize(WEIGHTS, len(made.weights))
    return made


@pytest.mark.parametrize("device", ["neuroanp", "neuroanp_runtime"])
@pytest.mark.parametrize(
    ("inhibit", "delays"),
    [(None, DELAYS), ("down", DELAYS), (None, np.zeros_like(DELAYS))],
    ids=["delays", "signs, delays", "no delays"],
)
def test_spikes_are_those_of_brian2(device, inhibit, delays):
    b2.defaultclock.dt = 1 * ms
    b2.set_device("runtime")
    b2.prefs.codegen.target = "numpy"
    group = cells()
    signed = "up_post += clip(w, 0, inf); down_post += clip(-w, 0, inf)" if inhibit else "up_post += w"
    synapses = b2.Synapses(group, group, "w : 1", on_pre=signed, name="synapses")
    source = np.concatenate([lane * CELLS + np.repeat(np.arange(CELLS), OUTGOING) for lane in range(LANES)])
    target = np.concatenate([lane * CELLS + TARGETS.ravel() for lane in range(LANES)])
    synapses.connect(i=source, j=target)
    synapses.w = np.tile(WEIGHTS, LANES)
    synapses.delay = delays[source % CELLS] * ms
    i, t, v = fired(group, synapses)
    alone, *_ = fired(cells())
    b2.set_device(device)
    group = cells()
    ours_i, ours_t, ours_v = fired(group, projection(group, inhibit=inhibit, delays=delays))
    assert len(i) > 200 and len(i) != len(alone)
    np.testing.assert_array_equal(ours_i, i)
    np.testing.assert_array_equal(ours_t, t)
    np.testing.assert_allclose(ours_v, v, atol=1e-12)


@pytest.mark.parametrize("device", ["neuroanp", "neuroanp_runtime"])
def test_other_synapses_need_no_other_network(device):
    """Longer delays and fewer synapses, then more: the same as in a network that starts with them."""
    b2.defaultclock.dt = 1 * ms
    b2.set_device(device)
    more = np.array([rng.choice(CELLS, 6, replace=False) for _ in range(CELLS)], np.int32)
    for targets, delays in ((TARGETS[:, :2], DELAYS + 5), (more, DELAYS[::-1])):
        spikes = []
        for first in ((TARGETS, DELAYS), (targets, delays)):
            group = cells()
            made = projection(group, targets=first[0], delays=first[1])
            monitor = b2.SpikeMonitor(group, name="spikes")
            net = b2.Network(group, made, monitor)
            net.run(0 * ms, namespace={})
            made.connect(targets, delays)
            made.weights[:] = np.linspace(-0.3, 0.5, targets.size)
            net.run(STEPS * ms, namespace={})
            spikes.append((np.array(monitor.i), np.array(monitor.t)))
        np.testing.assert_array_equal(*spikes)


@pytest.mark.parametrize("device", ["neuroanp", "neuroanp_runtime"])
def test_spikes_under_way_are_kept_copied_and_forgotten(device):
    b2.defaultclock.dt = 1 * ms
    b2.set_device(device)
    group = cells()
    made = projection(group)
    monitor = b2.SpikeMonitor(group, name="spikes")
    net = b2.Network(group, made, monitor)
    net.run(50 * ms, namespace={})
    expected = np.zeros((LONGEST + 1, LANES * CELLS), bool)
    for i, t in zip(monitor.i, np.round(monitor.t / ms).astype(int), strict=True):
        ahead = t + DELAYS[i % CELLS] - 49
        if ahead >= 0:
            expected[ahead, i] = True
    arriving = made.arriving().copy()
    np.testing.assert_array_equal(arriving.reshape(expected.shape), expected)
    assert expected[0].any() and expected[3:].any()
    kept = made.copy()
    net.run(5 * ms, namespace={})
    np.testing.assert_array_equal(made.arriving()[0], arriving[5] | _sent_late(monitor, 54, 50))
    made.put(kept)
    np.testing.assert_array_equal(made.arriving(), arriving)
    made.take(np.array([0, 2, 2]))
    np.testing.assert_array_equal(made.arriving()[0], arriving[0])
    np.testing.assert_array_equal(made.arriving()[1:], arriving[1:, [0, 2, 2]])
    made.rest()
    assert not made.arriving().any()


def _sent_late(monitor, arrival, since):
    """(LANES, CELLS) of spikes that arrive in a step and were fired in `since` or later."""
    sent = np.zeros(LANES * CELLS, bool)
    for i, t in zip(monitor.i, np.round(monitor.t / ms).astype(int), strict=True):
        sent[i] |= t >= since and t + DELAYS[i % CELLS] == arrival
    return sent.reshape(LANES, CELLS)
