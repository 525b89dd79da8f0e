"""Statements of a synapse in floating point, and its microcode with the host that it wants, side by side."""

import numpy as np

from neuroanp.substrate.loihi import LoihiLearning

POST, PRE, STEPS = 8, 20, 60
SILENT = np.zeros(PRE, bool)


def series(rng, sizes, firing=0.1):
    """Values of variables of cells, (T, post, 1) or (T, 1, pre), and broadcasts, (T, 1, 1), in a trial."""
    values = {name: size * rng.standard_normal((STEPS, POST, 1)) for name, size in sizes.items()}
    values["trace_pre"] = (rng.random((STEPS, 1, PRE)) < 0.1).astype(float)
    values["trace_post"] = (rng.random((STEPS, POST, 1)) < firing).astype(float)
    values["modulator"] = 0.1 * rng.standard_normal((STEPS, 1, 1))
    values["going"] = (np.arange(STEPS) > 0).astype(float)[:, None, None]
    return values | {"mask": np.ones((STEPS, 1, 1)), "course": np.ones((STEPS, 1, 1))}


def changes(synapse, code, values, constants, rng, post_spikes=None):
    """Changes of the weights from 0 in one trial: by the statements, and by the microcode.

    Parameters
    ----------
    synapse : Synapse
    code : Microcode
    values : mapping
        From `series`.
    constants : mapping
        Of the network, with ``discount`` and ``learning_rate``.
    rng : Generator
        Rounding of what the host sends.
    post_spikes : bool, optional
        True to connect s_in_bap, as the microcode says when left out.
    """
    learning = LoihiLearning(np.zeros((POST, PRE), int), **code.arguments())
    scope = {name: np.zeros((POST, PRE)) for name in (*synapse.state, "gradient")} | constants
    scope |= {name: float(value) for name, value in synapse.constants.items()}
    connected = code.post_spikes if post_spikes is None else post_spikes
    late = {"y2": 0, "y3": 0}
    for step in range(STEPS):
        scope |= {name: series[step] for name, series in values.items()}
        scope["decay"] = constants["discount"] * (step > 0)
        scope["trace_post"] = values["trace_post"][step - 1] * (step > 0)
        exec(synapse.eligibility, {"exp": np.exp}, scope)
        scope["trace_post"] = values["trace_post"][step]
        exec(synapse.credit, {"exp": np.exp}, scope)
        sent = {sent.port: sent.values(_column(sent.expression, scope), rng) for sent in code.sent}
        spikes = values["trace_post"][step][:, 0] > 0 if connected else False
        learning.step(values["trace_pre"][step][0] > 0, spikes, y1=sent.pop("y1", 0), **late)
        late = sent
    learning.step(SILENT, **late)
    return -constants["learning_rate"] * scope["gradient"], code.weight_unit * learning.weights


def _column(expression, scope):
    value = np.asarray(eval(expression, {}, scope), float)
    return np.broadcast_to(value, (POST, value.shape[-1]))[:, 0]


def slope(meant, got):
    """Size of what was got along what was meant, and their correlation."""
    meant, got = np.ravel(meant), np.ravel(got)
    return got @ meant / (meant @ meant), np.corrcoef(meant, got)[0, 1]
