"""Estimate of an update without the history of a trial, which is run twice in blocks of steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from neuroanp.arrays import products
from neuroanp.config.environment import jax
from neuroanp.network.layout import PROJECTIONS
from neuroanp.network.record import Record
from neuroanp.optim.schedule import annealed
from neuroanp.rules import delta
from neuroanp.rules._factors import decorrelated
from neuroanp.training.jax_course import TRACE, Steps
from neuroanp.types import Arrays

if TYPE_CHECKING:
    from neuroanp.training.jax_update import Kept

Tree = dict[str, Any]


class Block(NamedTuple):
    """Some steps of some lanes; all arrays but the first have their lanes on axis 1."""

    counts: Any
    """(T,) numbers of the steps."""
    inputs: Any
    targets: Any
    mask: Any
    modulator: Any = None
    error: Any = None


def replayed(kept: Kept) -> tuple[Record, Arrays, Arrays, Tree]:
    """`Kept.all`, from the losses of a first run, and a second one with the returns known."""
    jnp, tree, trial, layout = jax().numpy, jax().tree, kept.trial, kept.course.layout
    plan, rule = kept.update.plan, kept.recipe.rule
    counts = jnp.arange(len(trial.inputs), dtype=np.uint64)
    start = kept.course.start(kept.states)
    lanes = jnp.arange(layout.lanes, dtype=np.uint64)[None]
    place = Block(counts, trial.inputs, trial.targets, trial.mask)

    def lost(part: tuple[Any, Tree, Block]) -> Any:
        numbers, states, block = part
        return blocks(lambda states, block: _lost(kept, numbers[0], states, block), states, block, plan.steps)

    last, (loss, outputs) = _each(lost, (lanes, start, place), plan.lane_blocks)
    record = _small(kept, loss, outputs)
    modulator = kept.modulator(record)
    error = delta(record) if rule.readout == "delta" else None
    place = place._replace(modulator=modulator, error=error)

    def summed(part: tuple[Any, Tree, Block]) -> Any:
        numbers, states, block = part

        def add(carry: Any, block: Block) -> Any:
            after, new = _share(kept, numbers[0], carry[0], block)
            return (after, tree.map(jnp.add, carry[1], new)), None

        first = tree.map(lambda values: values[: plan.steps], block)
        like = jax().eval_shape(lambda: _share(kept, numbers[0], states, first)[1])
        zeros = tree.map(lambda values: jnp.zeros(values.shape, values.dtype), like)
        return blocks(add, (states, zeros), block, plan.steps)[0][1]

    sums = _total(summed, (lanes, start, place), plan.lane_blocks)
    matrices = _moved(kept, sums.pop(TRACE, None))
    for name, total in sums.items() if matrices else ():
        sums[name] = decorrelated(total, kept.matrices[PROJECTIONS[name].decorrelated_by])
    return record, sums | kept.of_losses(record, modulator), matrices, last


def blocks(step: Callable[[Any, Any], Any], carry: Any, values: Any, size: int) -> tuple[Any, Any]:
    """Last carry, and results (T, ...), of a step on blocks of `size` of the values (T, ...) and the rest."""
    jnp, tree = jax().numpy, jax().tree
    count, rest = divmod(len(tree.leaves(values)[0]), size)
    whole = tree.map(lambda x: x[: count * size].reshape(count, size, *x.shape[1:]), values)
    carry, results = jax().lax.scan(step, carry, whole)
    results = tree.map(lambda x: x.reshape(count * size, *x.shape[2:]), results)
    if not rest:
        return carry, results
    carry, late = step(carry, tree.map(lambda x: x[count * size :], values))
    return carry, tree.map(lambda x, y: jnp.concatenate([x, y]), results, late)


def _advanced(kept: Kept, lanes: Any, states: Tree, block: Block) -> tuple[Tree, Steps, Arrays]:
    numbers, course = kept.numbers, kept.course
    noise = course.noise(numbers.seed, numbers.trial, numbers.sigmas, block.counts, lanes)
    return *course.advance(kept.effective, states, block.inputs, block.targets, noise), noise


def _lost(kept: Kept, lanes: Any, states: Tree, block: Block) -> tuple[Tree, Any]:
    after, steps, _ = _advanced(kept, lanes, states, block)
    return after, (steps.loss, steps.outputs)


def _share(kept: Kept, lanes: Any, states: Tree, block: Block) -> tuple[Tree, Tree]:
    """States after a block, and its share of the update and of the decorrelation."""
    after, steps, noise = _advanced(kept, lanes, states, block)
    first = kept.course.layout.passes.clean(states[TRACE][None])[0]
    trial = kept.trial._replace(inputs=block.inputs, targets=block.targets, mask=block.mask)
    record = kept.record(trial, first, steps, noise, whole=False)
    share = kept.shared(record, block.modulator, block.error)
    if kept.matrices:
        share = share | {TRACE: products(record.trace[1:], record.trace[1:])}
    return after, share


def _small(kept: Kept, loss: Any, outputs: Any) -> Record:
    """Record of a whole trial that has no traces, for modulator and readout."""
    steps = Steps(kept.states[TRACE][None][:0], outputs[:0], {}, outputs, loss)
    return kept.record(kept.trial, kept.states[TRACE], steps, {})


def _moved(kept: Kept, square: Any) -> Arrays:
    """Decorrelating matrices after the trial."""
    decorrelation, D = kept.recipe.decorrelation, kept.matrices
    if decorrelation is None:
        return D
    rate = annealed(decorrelation.rate, decorrelation.anneal, kept.numbers.progress)
    return {
        "D_in": decorrelation.update(D["D_in"], kept.trial.inputs, rate),
        "D_hidden": decorrelation.moved(D["D_hidden"], square, kept.trial.mask.size, rate),
    }


def _split(values: Any, parts: int) -> Any:
    """Arrays (parts, A, L / parts, ...) of (A, L, ...); those of one axis repeated."""
    jnp = jax().numpy

    def split(x: Any) -> Any:
        if x.ndim == 1:
            return jnp.broadcast_to(x, (parts, *x.shape))
        return jnp.moveaxis(x.reshape(x.shape[0], parts, -1, *x.shape[2:]), 1, 0)

    return jax().tree.map(split, values)


def _each(function: Callable[[Any], Any], values: Any, parts: int) -> Any:
    """Function of parts of the lanes one after the other; its results have lanes on axis 1, or 2 after P."""
    if parts == 1:
        return function(values)
    states, records = jax().lax.map(function, _split(values, parts))
    jnp = jax().numpy

    def merge(x: Any, axis: int) -> Any:
        x = jnp.moveaxis(x, 0, axis)
        return x.reshape(*x.shape[:axis], -1, *x.shape[axis + 2 :])

    return jax().tree.map(lambda x: merge(x, 1), states), jax().tree.map(lambda x: merge(x, 2), records)


def _total(function: Callable[[Any], Any], values: Any, parts: int) -> Any:
    """Sum of a function over parts of the lanes."""
    if parts == 1:
        return function(values)
    return jax().tree.map(lambda x: x.sum(axis=0), jax().lax.map(function, _split(values, parts)))
