"""A tanh network with passes, lanes and given noise in plain NumPy: what the rules are checked on."""

from __future__ import annotations

import numpy as np

from neuroanp.network.layout import Passes
from neuroanp.network.record import Record

SIGN = {"clean": 0.0, "plus": 1.0, "minus": -1.0}
NAMES = ("W_in", "W_rec", "W_out")


def simulate(
    weights,
    inputs,
    targets,
    *,
    passes=("plus", "minus"),
    noise=None,
    noise_out=None,
    weight_noise=None,
    mask=None,
    initial=None,
    decorrelation=None,
    dtype=np.float64,
):
    """One trial of a_t = W_in u_t + W_rec xhat_{t-1} + noise, xhat = D tanh(a), out = W_out xhat + noise.

    Parameters
    ----------
    weights : dict of (post, pre) arrays, or of (L, post, pre) arrays that differ between lanes
    inputs, targets : (T, L, n_in), (T, L, n_out) arrays
    noise, noise_out : (T, L, N), (T, L, n_out) arrays, optional
    weight_noise : list of dicts, optional
        One for each step, or a single one for all steps; each as `weights`.
    initial : (L, N) array, optional
    """
    steps, lanes, _ = inputs.shape
    hidden, n_out = weights["W_rec"].shape[-1], targets.shape[2]
    D = decorrelation or {}
    D_in, D_hidden = D.get("D_in", np.eye(inputs.shape[2])), D.get("D_hidden", np.eye(hidden))
    noise = np.zeros((steps, lanes, hidden)) if noise is None else noise
    noise_out = np.zeros((steps, lanes, n_out)) if noise_out is None else noise_out
    initial = np.zeros((lanes, hidden)) if initial is None else initial
    state = np.empty((steps, len(passes), lanes, hidden), dtype)
    activity = np.empty_like(state)
    outputs = np.empty((steps, len(passes), lanes, n_out), dtype)

    def project(W, x):
        return np.einsum("...ij,...j->...i", W.astype(dtype), x)

    for p, name in enumerate(passes):
        sign = SIGN[name]
        x = initial.astype(dtype)
        for t in range(steps):
            W = {key: weights[key] for key in NAMES}
            if weight_noise is not None:
                xi = weight_noise[t if len(weight_noise) > 1 else 0]
                W = {key: W[key] + sign * xi[key] for key in NAMES}
            current = project(W["W_in"], project(D_in, inputs[t].astype(dtype)))
            current += project(W["W_rec"], project(D_hidden, x))
            activity[t, p] = current + (sign * noise[t]).astype(dtype)
            x = state[t, p] = np.tanh(activity[t, p])
            outputs[t, p] = project(W["W_out"], project(D_hidden, x)) + (sign * noise_out[t]).astype(dtype)
    return Record(
        passes=tuple(passes),
        loss=((outputs - targets[:, None].astype(dtype)) ** 2).mean(axis=3),
        mask=np.ones((steps, lanes)) if mask is None else mask,
        inputs=inputs.astype(dtype),
        trace=np.concatenate([initial[None].astype(dtype), Passes(passes).clean(state)]),
        traces=state,
        activity=activity,
        noise=noise.astype(dtype),
        outputs=outputs,
        targets=targets.astype(dtype),
        noise_out=noise_out.astype(dtype),
        weight_noise=None if weight_noise is None else lambda: iter(weight_noise),
        decorrelation=D,
    )


class Problem:
    """A tiny trial with its weights, mask, D matrices and a start that isn't zero."""

    def __init__(
        self, seed=0, steps=5, lanes=1, n_in=2, hidden=4, n_out=2, decorrelated=False, carried=False
    ):
        rng = np.random.default_rng(seed)
        self.rng, self.hidden, self.n_out = rng, hidden, n_out
        self.weights = {
            "W_in": rng.normal(size=(hidden, n_in)),
            "W_rec": rng.normal(size=(hidden, hidden)) / np.sqrt(hidden),
            "W_out": rng.normal(size=(n_out, hidden)) / np.sqrt(hidden),
        }
        self.inputs = rng.normal(size=(steps, lanes, n_in))
        self.targets = rng.normal(size=(steps, lanes, n_out))
        self.mask = (rng.random((steps, lanes)) < 0.8) * rng.uniform(0.5, 1.5, (steps, lanes))
        self.initial = rng.normal(size=(lanes, hidden)) if carried else None
        self.decorrelation = {}
        if decorrelated:
            self.decorrelation = {
                "D_in": np.eye(n_in) + 0.2 * rng.normal(size=(n_in, n_in)),
                "D_hidden": np.eye(hidden) + 0.2 * rng.normal(size=(hidden, hidden)),
            }

    def draw(self, sigma):
        """Noise of all nodes, for `simulate`."""
        steps, lanes, _ = self.inputs.shape
        return {
            "noise": sigma * self.rng.normal(size=(steps, lanes, self.hidden)),
            "noise_out": sigma * self.rng.normal(size=(steps, lanes, self.n_out)),
        }

    def repeated(self, times):
        """The same trial in `times` as many lanes, copies of a lane next to each other."""
        copy = object.__new__(Problem)
        copy.__dict__.update(self.__dict__)
        for name in ("inputs", "targets", "mask"):
            setattr(copy, name, np.repeat(getattr(self, name), times, axis=1))
        if self.initial is not None:
            copy.initial = np.repeat(self.initial, times, axis=0)
        return copy

    def record(self, weights=None, **given):
        """`simulate` on this trial."""
        return simulate(
            self.weights if weights is None else weights,
            self.inputs,
            self.targets,
            mask=self.mask,
            initial=self.initial,
            decorrelation=self.decorrelation,
            **given,
        )

    def losses(self, weights=None, **given):
        """Counted loss (T, L) of each step without noise, or with the noise given as that of a plus pass."""
        record = self.record(weights, passes=("plus",), **given)
        return record.loss[:, 0] * record.mask

    def gradient(self, step=1e-5):
        """Central differences of the mean over lanes of the summed loss, by weight matrix."""
        result = {}
        for name in NAMES:
            result[name] = np.empty_like(self.weights[name])
            for where in np.ndindex(result[name].shape):
                side = []
                for sign in (1, -1):
                    moved = {key: w.copy() for key, w in self.weights.items()}
                    moved[name][where] += sign * step
                    side.append(self.losses(moved).sum(axis=0).mean())
                result[name][where] = (side[0] - side[1]) / (2 * step)
        return result


def cosine(a, b):
    """Cosine of the angle between two arrays."""
    return float(np.vdot(a, b) / np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
