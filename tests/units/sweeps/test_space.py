"""Values that a sweep varies: their forms, and what they make of task and recipe."""

import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.errors import InvalidValue, NeuroANPError, UnknownName
from neuroanp.models import LIF
from neuroanp.optim import SGD, Adam
from neuroanp.sweeps.space import Range, Space
from support.copying import COPYING, RECIPE

SPIKING = RECIPE.replace(model=LIF(hidden=5))


def space(vary, recipe=RECIPE):
    return Space(COPYING, recipe, vary)


@pytest.mark.parametrize(
    ("name", "given", "labels", "values"),
    [
        ("rule.sigma", "0.003, 0.01", (0.003, 0.01), [0.003, 0.01]),
        ("rule.sigma", [1e-3], (1e-3,), [1e-3]),
        ("lanes", "4,8", (4, 8), [4, 8]),
        ("rule.mirrored", "true,false", (True, False), [True, False]),
        ("optimizer", "adam,sgd", ("adam", "sgd"), [Adam(lr=0.01), SGD(lr=0.01, anneal="linear")]),
        ("optimizer", [Adam(lr=0.5), SGD()], ("adam(lr=0.5)", "sgd"), [Adam(lr=0.5), SGD()]),
        ("decorrelation", "none,on", ("none", "on"), [None, nap.Decorrelation()]),
        ("decorrelation.rate", [0.5], (0.5,), [0.5]),
        ("task.delay", (3, 4), (3, 4), [3, 4]),
    ],
)
def test_listed_values(name, given, labels, values):
    varied = space({name: given})
    points = list(varied.grid())
    assert tuple(point[name] for point in points) == labels
    for point, value in zip(points, values, strict=True):
        part = dict(zip(("task", "recipe"), varied.settings(point), strict=True))
        owner = part["task"] if name.startswith("task.") else part["recipe"]
        for attribute in name.removeprefix("task.").split("."):
            owner = getattr(owner, attribute)
        assert owner == value
    assert varied.is_grid


def test_quantities_keep_their_unit():
    varied = space(
        {"model.tau": [20 * ms, "30 ms"], "model.refractory_period": "log:1 ms:0.01 second"}, SPIKING
    )
    period = varied.axes["model.refractory_period"]
    assert period == Range(1.0, 10.0, log=True, unit="ms")
    _, recipe = varied.settings({"model.tau": "30 ms", "model.refractory_period": 2.5})
    assert (float(recipe.model.tau), float(recipe.model.refractory_period)) == (0.03, 0.0025)
    assert varied.units() == {"model.tau": "ms", "model.refractory_period": "ms"}


def test_ranges_in_the_words_of_optuna():
    varied = space({"rule.sigma": "log:1e-3:0.3", "lanes": "4:9", "optimizer.lr": "0:1"})
    assert not varied.is_grid
    shown = {name: repr(distribution) for name, distribution in varied.distributions().items()}
    assert shown == {
        "rule.sigma": "FloatDistribution(high=0.3, log=True, low=0.001, step=None)",
        "lanes": "IntDistribution(high=9, log=False, low=4, step=1)",
        "optimizer.lr": "FloatDistribution(high=1.0, log=False, low=0.0, step=None)",
    }


def test_options_of_a_part_that_is_chosen():
    varied = space({"rule": "node-perturbation,reward-stdp", "rule.sigma": [0.1]}, SPIKING)
    assert [varied.settings(point)[1].rule.sigma for point in varied.grid()] == [0.1, 0.1]


@pytest.mark.parametrize(
    ("vary", "kind", "message"),
    [
        ({}, InvalidValue, "values by name"),
        ({"rule.sigmaa": [1]}, UnknownName, "did you mean 'rule.sigma'"),
        ({"sigma": [1]}, UnknownName, "sweep.vary"),
        ({"rule.sigma": []}, InvalidValue, "at least one value"),
        ({"rule.sigma": [0.1, 0.1]}, InvalidValue, "each once"),
        ({"rule.sigma": 0.1}, InvalidValue, "a list of values"),
        ({"rule.sigma": "a,b"}, InvalidValue, "a number"),
        ({"rule.sigma": [0.1, -1]}, InvalidValue, "NodePerturbation.sigma"),
        ({"rule.sigma": "log:-1:1"}, InvalidValue, "above 0"),
        ({"rule.sigma": "1:0.1"}, InvalidValue, "smaller number first"),
        ({"rule.sigma": "-1:1"}, InvalidValue, "NodePerturbation.sigma"),
        ({"optimizer": "adam:sgd"}, NeuroANPError, "adam:sgd"),
        ({"rule": "no-such,spsa"}, UnknownName, "no-such"),
        ({"rule.mirrored": "false:true"}, InvalidValue, "a range of numbers"),
        ({"decorrelation": "none", "decorrelation.rate": [0.1]}, InvalidValue, "options of it are given"),
        ({"lanes": "1.5:9"}, InvalidValue, "a whole number"),
        ({"modulator": "on,off"}, InvalidValue, "on, or none"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_runs(vary, kind, message):
    with pytest.raises(kind) as caught:
        space(vary)
    assert message in str(caught.value)


def test_combinations_are_checked_too():
    vary = {"decorrelation": [None, nap.Decorrelation()], "model": "tanh,ei"}
    with pytest.raises(InvalidValue, match=r"Recipe\.decorrelation"):
        space(vary)
