"""Part "loop": forward passes of one trial after the other, as Brian2 alone runs them."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

from brian2 import ms
from threadpoolctl import threadpool_limits

from neuroanp.bench import ours
from neuroanp.bench.peers.brian2 import PlainNetwork, runtime, standalone
from neuroanp.bench.table import Row, compared
from neuroanp.bench.timing import interleaved
from neuroanp.models import TanhRNN
from neuroanp.network.network import Network
from neuroanp.rules import NodePerturbation

HIDDEN, STEPS, DTYPE = 100, 200, "float64"
LIMIT = 0.01
STANDALONE = "Brian2, C++ standalone, program run again"


def rows(quick: bool) -> Iterator[Row]:
    """A row for each way in which Brian2 runs a network."""
    trial = ours.copying(STEPS, lanes=1)
    model = TanhRNN(hidden=HIDDEN)
    rule = NodePerturbation(sigma=ours.SIGMA, mirrored=False)
    network = Network(
        model, trial.inputs.shape[2], trial.targets.shape[2], 1 * ms, lanes=1, passes=rule.passes,
        perturbation=rule.perturbation, engine="compiled", dtype=DTYPE,
    )  # fmt: skip
    weights = model.initial_weights(ours.generator(), network.n_in, network.n_out)
    network.load(weights)
    drive = ours.arrays(trial, DTYPE)[0][:, 0] @ weights["W_in"].T
    labels: dict[str, Any] = {"part": "loop", "size": ours.size(HIDDEN, 1, DTYPE, trial.steps)}

    def beside(what: str, theirs: Callable[[], Any], limit: float | None = LIMIT) -> Row:
        with threadpool_limits(1):
            samples = interleaved({"ours": lambda: network.run(trial), what: theirs}, 2.0 if quick else 10.0)
        return compared(samples, "ours", what, what=what, limit=limit, **labels)

    for target in ("numpy", "cython"):
        what = f"Brian2, Network.run, {target} target"
        if target == "cython" and not _cython():
            yield Row(what=what, note="not installed: pip install cython, and a C++ compiler", **labels)
            continue
        with runtime(target):
            plain = PlainNetwork(weights["W_rec"], drive, ours.SIGMA, synapses=False)
        yield beside(what, functools.partial(_run, plain, target))
    with tempfile.TemporaryDirectory() as folder:
        again = standalone(weights["W_rec"], drive, ours.SIGMA, folder)
        yield beside(STANDALONE, again, limit=None)


def _run(plain: PlainNetwork, target: str) -> None:
    with runtime(target):
        plain.run()


def _cython() -> bool:
    from brian2.codegen.runtime.cython_rt import CythonCodeObject

    return bool(CythonCodeObject.is_available())
