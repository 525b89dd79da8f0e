"""The linear predictor against cases whose answer is known."""

import numpy as np

from neuroanp.tasks._linear import lagged, linear


def test_lagged_puts_the_newest_input_first_and_a_constant_last() -> None:
    inputs = np.array([[1.0, 10.0], [2.0, 20.0], [3.0, 30.0], [4.0, 40.0]])
    np.testing.assert_array_equal(lagged(inputs, range(2, 4), 2), [[3, 30, 2, 20, 1], [4, 40, 3, 30, 1]])


def test_linear_finds_a_linear_law_and_predicts_unseen_steps(rng: np.random.Generator) -> None:
    inputs = rng.normal(size=(100, 2))
    targets = np.zeros((100, 1))
    targets[2:, 0] = 3 * inputs[2:, 0] - 2 * inputs[:-2, 1] + 5
    targets[60:] += 100
    found = linear(inputs, targets, range(0, 60), range(60, 100), lags=3)
    np.testing.assert_allclose(found, targets[60:] - 100, atol=1e-10)


def test_linear_needs_all_the_lags(rng: np.random.Generator) -> None:
    inputs = rng.normal(size=(400, 1))
    targets = np.roll(inputs, 2, axis=0)
    short = linear(inputs, targets, range(2, 300), range(300, 400), lags=2)
    assert ((short - targets[300:]) ** 2).mean() > 0.5
