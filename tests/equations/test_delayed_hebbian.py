"""Miconi's rule against its equations, step by step."""

from __future__ import annotations

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.rules import DelayedHebbian, pre
from support.simulator import NAMES, Problem


@pytest.mark.parametrize("passes", [("plus",), ("clean", "plus")])
def test_update_is_modulator_times_the_cubed_product_of_fluctuation_and_trace(passes):
    problem = Problem(seed=1, steps=8, lanes=3, decorrelated=True, carried=True)
    rule = DelayedHebbian(memory=0.2)
    record = problem.record(passes=passes, **problem.draw(0.5))
    modulator = problem.rng.normal(size=(8, 3))
    update = rule(record, modulator, {})
    at = passes.index("plus")
    layers = {"W_in": record.activity[:, at], "W_rec": record.activity[:, at], "W_out": record.outputs[:, at]}
    assert set(update) == set(NAMES)
    for name, activity in layers.items():
        x = pre(record, name)
        total, mean = np.zeros(update[name].shape), activity[0]
        for t in range(8):
            increment = np.einsum("li,lj->lij", activity[t] - mean, x[t])
            total += np.einsum("l,lij->ij", modulator[t], increment**3)
            mean = 0.2 * mean + 0.8 * activity[t]
        np.testing.assert_allclose(update[name], total, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize(("field", "value"), [("probability", 0.0), ("probability", 1.1), ("memory", -0.1)])
def test_bad_options_are_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=rf"^DelayedHebbian\.{field}: expected "):
        DelayedHebbian(**{field: value})
