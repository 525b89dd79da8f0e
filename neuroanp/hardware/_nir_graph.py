"""Numbers of a network of ours in a NIR graph, or the reason why no network of ours equals it."""

from __future__ import annotations

import dataclasses
from typing import Any, NoReturn

import numpy as np

from neuroanp.errors import InvalidValue
from neuroanp.types import Array

FORM = "input -> Affine or Linear -> LIF -> output, with recurrent weights, Linear and LI or without"


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Found:
    """Numbers of a network as `CurrentLIF` has them, of a graph that steps of a length dt run.

    Parameters
    ----------
    memory, readout_memory : float
        Parts of potential and readout that are left after a step.
    W_in : (N, n_in) array
    bias : (N,) array
    W_rec : (N, N) array
    W_out : (n_out, N) array or None
        None for a graph that ends at the spikes.
    precision : float
        Spacing of the graph's numbers at 1.
    """

    memory: float
    readout_memory: float
    W_in: Array
    bias: Array
    W_rec: Array
    W_out: Array | None
    precision: float


def found(package: Any, graph: Any, dt: float) -> Found:
    """Numbers of a graph for steps of `dt` seconds; `InvalidValue` with what no network of ours equals."""
    if not isinstance(graph, package.NIRGraph):
        _refuse(FORM, f"{type(graph).__name__}")
    for name, node in graph.nodes.items():
        for field, value in vars(node).items():
            if isinstance(value, np.ndarray) and value.dtype.kind == "f" and not np.isfinite(value).all():
                _refuse("finite numbers", f"others in {field} of {name}")
    nodes = _Nodes(package, graph)
    cells = nodes.lif
    share, r = _share("LIF", cells, dt), np.asarray(cells.r, float)
    threshold = np.asarray(cells.v_threshold, float)
    if not (threshold > 0).all():
        _refuse("thresholds above 0, where cells reset to", f"v_threshold {threshold.min():g}")
    if np.any(cells.v_reset):
        _refuse("a LIF that resets to 0", f"v_reset {np.ravel(cells.v_reset)[0]:g}")
    gain = (r / threshold)[:, None]
    W_in, bias = _affine(nodes.input_weights)
    size = len(r)
    W_rec, tonic = (np.zeros((size, size)), 0.0) if nodes.recurrent is None else _affine(nodes.recurrent)
    W_out, kappa = _readout(nodes, dt)
    return Found(
        memory=1 - share, readout_memory=kappa, W_in=W_in * gain, bias=(bias + tonic) * gain[:, 0],
        W_rec=W_rec * gain * (share / (1 - share)), W_out=W_out,
        precision=float(np.finfo(np.result_type(np.float16, np.asarray(nodes.input_weights.weight))).eps),
    )  # fmt: skip


class _Nodes:
    """Nodes of a graph by their part in it."""

    def __init__(self, package: Any, graph: Any) -> None:
        nodes, edges = graph.nodes, {(str(a), str(b)) for a, b in graph.edges}
        for name, node in nodes.items():
            known = ("Input", "Output", "Affine", "Linear", "LIF", "LI")
            if not isinstance(node, tuple(getattr(package, kind) for kind in known)):
                _refuse(f"nodes of {', '.join(known)}", f"{name}: {type(node).__name__}")
        ends = {kind: [n for n in nodes if isinstance(nodes[n], getattr(package, kind))]
                for kind in ("Input", "Output", "LIF", "LI")}  # fmt: skip
        for kind in ("Input", "Output", "LIF"):
            if len(ends[kind]) != 1:
                _refuse(f"one {kind}", f"{len(ends[kind])}")
        self.nodes, self.edges, self.kinds = nodes, set(edges), (package.Affine, package.Linear)
        first, last, cells = (ends[kind][0] for kind in ("Input", "Output", "LIF"))
        self.lif = nodes[cells]
        self.input_weights = nodes[self._between(first, cells) or _refuse(FORM, "no weights at the input")]
        back = self._between(cells, cells)
        self.recurrent = None if back is None else nodes[back]
        self.leaky = nodes[ends["LI"][0]] if ends["LI"] else None
        self._take(ends["LI"][0], last) if ends["LI"] else None
        end = ends["LI"][0] if ends["LI"] else last
        weights = self._between(cells, end)
        if weights is None:
            self._take(cells, end)
        self.output_weights = None if weights is None else nodes[weights]
        if self.edges:
            _refuse(FORM, f"an edge {' -> '.join(sorted(self.edges)[0])}")

    def _between(self, source: str, target: str) -> str | None:
        """Weights between two nodes, whose edges are taken; None without."""
        for name, node in self.nodes.items():
            if isinstance(node, self.kinds) and {(source, name), (name, target)} <= self.edges:
                self._take(source, name)
                self._take(name, target)
                return str(name)
        return None

    def _take(self, source: str, target: str) -> None:
        if (source, target) not in self.edges:
            _refuse(FORM, f"no edge {source} -> {target}")
        self.edges.remove((source, target))


def _affine(node: Any) -> tuple[Array, Array]:
    """Weight (n_post, n_pre) and bias (n_post,) in float64."""
    weight = np.asarray(node.weight, float)
    if weight.ndim != 2:
        _refuse("weights (n_post, n_pre)", f"shape {weight.shape}")
    bias = getattr(node, "bias", None)
    return weight, np.zeros(len(weight)) if bias is None else np.asarray(bias, float)


def _share(kind: str, node: Any, dt: float) -> float:
    """Part of the way to its aim that a leaky node goes in a step."""
    tau = np.unique(np.asarray(node.tau, float))
    if len(tau) != 1:
        _refuse(f"one tau for all units of the {kind}", f"{len(tau)} from {tau.min():g} to {tau.max():g} s")
    if np.any(node.v_leak):
        _refuse(f"a {kind} that leaks to 0", f"v_leak {np.ravel(node.v_leak)[0]:g}")
    if not tau[0] > dt:
        _refuse(f"tau of the {kind} above dt ({dt:g} s)", f"{tau[0]:g} s")
    return float(dt / tau[0])


def _readout(nodes: _Nodes, dt: float) -> tuple[Array | None, float]:
    """Weights of the readout and the part of it that is left after a step."""
    if nodes.output_weights is None and nodes.leaky is None:
        return None, 0.0
    W_out, bias = np.eye(len(nodes.lif.r)), np.zeros(1)
    if nodes.output_weights is not None:
        W_out, bias = _affine(nodes.output_weights)
    if np.any(bias):
        _refuse("a readout without bias", f"bias {bias[np.flatnonzero(bias)[0]]:g}")
    if nodes.leaky is None:
        return W_out, 0.0
    share = _share("LI", nodes.leaky, dt)
    return W_out * (share * np.asarray(nodes.leaky.r, float))[:, None], 1 - share


def _refuse(expected: str, got: str) -> NoReturn:
    raise InvalidValue("import_nir", expected, got)
