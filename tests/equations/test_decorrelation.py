"""The decorrelating matrices."""

from __future__ import annotations

import types

import numpy as np
import pytest

from neuroanp.errors import InvalidValue
from neuroanp.optim.decorrelation import Decorrelation
from support.simulator import Problem


def formula(D, traces, rate):
    """D - rate * mean over steps and lanes of offdiag(x_hat x_hat^T) D, sample by sample."""
    n = len(D)
    mean = np.zeros((n, n))
    for x in traces.reshape(-1, n):
        hat = D @ x
        mean += np.outer(hat, hat) * (1 - np.eye(n))
    return D - rate * mean / (traces.size / n) @ D


@pytest.mark.parametrize(("steps", "lanes"), [(1, 1), (3, 2), (4, 2), (9, 1), (40, 3)])
def test_both_forms_are_the_formula(steps, lanes):
    rng = np.random.default_rng(0)
    traces = rng.normal(size=(steps, lanes, 8))
    D = np.eye(8) + 0.3 * rng.normal(size=(8, 8))
    before = D.copy()
    after = Decorrelation().update(D, traces, rate=0.1)
    np.testing.assert_allclose(after, formula(D, traces, 0.1), rtol=1e-12, atol=1e-14)
    np.testing.assert_array_equal(D, before)
    single = Decorrelation().update(D, traces.astype(np.float32), rate=0.1)
    assert single.dtype == np.float64
    np.testing.assert_allclose(single, after, rtol=1e-4, atol=1e-5)


def test_fewer_samples_than_units_form_no_product_of_units_cubed():
    class Counted(np.ndarray):
        """Counts multiplications of the matrix products."""

        cost = 0

        def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
            plain = [np.asarray(value) for value in inputs]
            if ufunc is np.matmul:
                Counted.cost = max(Counted.cost, plain[0].shape[0] * plain[0].shape[1] * plain[1].shape[1])
            result = getattr(ufunc, method)(*plain, **{k: v for k, v in kwargs.items() if k != "out"})
            if "out" in kwargs:
                np.asarray(kwargs["out"][0])[...] = result
                return kwargs["out"][0]
            return result.view(Counted) if isinstance(result, np.ndarray) else result

    traces = np.random.default_rng(0).normal(size=(5, 2, 60))
    Decorrelation().update(np.eye(60).view(Counted), traces.view(Counted), rate=0.1)
    assert Counted.cost == 10 * 60 * 60


def off_diagonal(D, traces):
    hat = traces.reshape(-1, len(D)) @ D.T
    C = np.corrcoef(hat.T)
    return np.abs(C - np.diag(np.diag(C))).mean()


@pytest.mark.parametrize("lanes", [1, 40])
def test_learning_decorrelates(lanes):
    rng = np.random.default_rng(1)
    mix = np.eye(6) + 0.5 * rng.normal(size=(6, 6))
    D, decorrelation = np.eye(6), Decorrelation()
    held_out = rng.normal(size=(500, 1, 6)) @ mix.T
    at_start = off_diagonal(D, held_out)
    for _ in range(1500):
        D = decorrelation.update(D, rng.normal(size=(5, lanes, 6)) @ mix.T, rate=0.01)
    assert off_diagonal(D, held_out) < 0.3 * at_start


def test_one_trial_updates_both_matrices_from_the_course_without_noise():
    problem = Problem(lanes=3, decorrelated=True)
    matrices = problem.decorrelation
    decorrelation = Decorrelation(rate=0.2, anneal="linear")
    for passes in (("clean", "plus"), ("plus", "minus")):
        record = problem.record(passes=passes, **problem.draw(0.1))
        x = record.traces[:, 0] if "clean" in passes else record.traces.mean(axis=1)
        learned = decorrelation(record, matrices, progress=0.75)
        np.testing.assert_allclose(learned["D_in"], formula(matrices["D_in"], record.inputs, 0.05))
        np.testing.assert_allclose(learned["D_hidden"], formula(matrices["D_hidden"], x, 0.05))


def test_it_starts_as_the_identity_and_stays_at_rate_zero():
    decorrelation = Decorrelation(rate=0.0)
    D = decorrelation.start(types.SimpleNamespace(n_in=2, hidden=4))
    np.testing.assert_array_equal(D["D_in"], np.eye(2))
    np.testing.assert_array_equal(D["D_hidden"], np.eye(4))
    record = Problem().record()
    assert decorrelation(record, D, progress=0.0)["D_hidden"] is D["D_hidden"]


@pytest.mark.parametrize(("field", "value"), [("rate", -1), ("rate", np.nan), ("anneal", "liner")])
def test_bad_options_are_refused_by_name(field, value):
    with pytest.raises(InvalidValue, match=rf"^Decorrelation\.{field}: expected "):
        Decorrelation(**{field: value})
