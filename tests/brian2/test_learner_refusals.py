"""Refusals of a learner, by name and before anything is simulated."""

import brian2 as b2
import pytest
from brian2 import ms, mV, nS, pA

import neuroanp as nap
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.learner import Workers
from neuroanp.reward import NoiseCritic, OtherLanes
from neuroanp.rules import NodePerturbation, WeightPerturbation
from support.own_networks import circuit, learner

pytestmark = pytest.mark.usefixtures("own_scope")


@pytest.fixture
def prepared(own_scope):
    """A circuit of its own, on the engine that starts quickest."""
    b2.set_device("neuroanp_runtime")
    return circuit()


REFUSED = {
    "another unit of sigma": (
        lambda c: {"perturb": [(c.cells, "ge", 2 * mV)]},
        r"Learner.perturb: sigma: expected .* siemens, as 'cells'.ge has, got 2. \* mvolt",
    ),
    "sigma without unit": (lambda c: {"perturb": [(c.cells, "ge", 2.0)]}, "siemens"),
    "sigma of zero": (lambda c: {"perturb": [(c.cells, "ge", 0 * nS)]}, "above 0"),
    "unknown variable": (lambda c: {"perturb": [(c.cells, "gE", 2 * nS)]}, "one of current.*got 'gE'"),
    "subexpression": (lambda c: {"perturb": [(c.cells, "doubled", mV)]}, "got a subexpression"),
    "shared variable": (lambda c: {"perturb": [(c.cells, "shared_current", pA)]}, "a number for each cell"),
    "constant variable": (lambda c: {"perturb": [(c.cells, "fixed", 1)]}, r"without the flag \(constant\)"),
    "no group": (lambda c: {"perturb": [(c.inputs, "rates", b2.Hz)]}, "NeuronGroup, variable, sigma"),
    "no tuple": (lambda c: {"perturb": [c.cells]}, r"tuples \(NeuronGroup, variable, sigma\)"),
    "constant weight": (
        lambda c: {"learn": [(c.fixed, "w", 1 * nS)]},
        r"write `model='w : siemens'` and `gi \+= w`.*got a constant weight, `gi \+= 2 \* nS`",
    ),
    "another unit of the scale": (
        lambda c: {"learn": [(c.tiring, "w", 1.0)]},
        "Learner.learn: scale: expected a scale above 0 in siemens, as the weights 'tiring'.w have, got 1.0",
    ),
    "unknown weight": (lambda c: {"learn": [(c.tiring, "W", 1 * nS)]}, "weight: expected one of r, w"),
    "integrated weight": (lambda c: {"learn": [(c.tiring, "x", 1)]}, "a parameter with a value for each"),
    "unused weight": (lambda c: {"learn": [(c.excite, "idle", 1)]}, r"a statement such as `ge \+= idle`"),
    "unperturbed target": (
        lambda c: {"learn": [(c.out, "w", 1)], "rule": NodePerturbation()}, "'readout' in perturb"
    ),
    "ambiguous noise": (
        lambda c: {"learn": [(c.stdp, "w", 1)], "perturb": [(c.cells, "ge", nS), (c.cells, "v", mV)]},
        "noise in 'cells'.gi, which these synapses write, or in one variable, got ge, v",
    ),
    "nothing learns": (lambda c: {"learn": []}, "Learner.learn: expected at least one"),
    "unknown name in the loss": (lambda c: {"loss": "(z - 1)**2"}, "Learner.loss: .*'readout'"),
    "unit of the loss": (lambda c: {"loss": "v", "readout": c.cells}, "divide by a unit"),
    "no readout": (lambda c: {"readout": None}, "Learner.readout: expected the NeuronGroup"),
    "no loss": (lambda c: {"loss": 3}, "an expression or a function"),
    "duration without unit": (lambda c: {"duration": 40}, "Learner.duration: expected a time"),
    "part of a step": (lambda c: {"duration": 40.05 * ms}, "a multiple of dt"),
    "sigma in the rule": (lambda c: {"rule": NodePerturbation(sigma=0.2)}, "sigma in `perturb`"),
    "noise on weights": (lambda c: {"rule": WeightPerturbation()}, "a rule of noise on nodes"),
    "other lanes": (lambda c: {"modulator": nap.Modulator(baseline=OtherLanes())}, "OtherPass.*RunningMean"),
    "critic": (lambda c: {"modulator": nap.Modulator(baseline=NoiseCritic())}, "OtherPass.*RunningMean"),
    "signs of what does not learn": (lambda c: {"keep_signs": [c.stdp]}, "Synapses that learn"),
    "no trials": (lambda c: {"trials": 0}, "Learner.trials: expected a whole number of 1 or more"),
}  # fmt: skip


@pytest.fixture(scope="module")
def refused():
    """One circuit for all refusals, which come before anything is simulated."""
    b2.start_scope()
    target, b2.prefs.codegen.target = b2.prefs.codegen.target, "numpy"
    yield circuit()
    b2.prefs.codegen.target = target


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_by_name(refused, case):
    settings, message = REFUSED[case]
    with pytest.raises((InvalidValue, UnknownName), match=message):
        learner(refused, **settings(refused))
    assert len(refused.net.objects) == 10


@pytest.mark.parametrize("factor", ["u * x", "v_pre / mV", "t / ms"])
def test_product_with_more_than_a_variable_of_the_synapse_gets_a_line_to_write(prepared, factor):
    c = prepared
    product = b2.Synapses(c.cells, c.cells, "w : siemens\nx : 1\nu : 1", on_pre=f"ge += w * {factor}")
    product.connect()
    c.net.add(product)
    with pytest.raises(InvalidValue, match=r"`r = u \* x` and then `... \+= w \* r`"):
        learner(c, learn=[(product, "w", nS)])


def test_objects_of_other_networks_and_devices_are_refused(prepared):
    c = prepared
    stranger = b2.NeuronGroup(2, "v : 1", name="stranger")
    with pytest.raises(InvalidValue, match="a Network that 'stranger' was added to"):
        learner(c, perturb=[(stranger, "v", 1)])
    b2.set_device("runtime")
    with pytest.raises(InvalidValue, match="'cells' made under the device that is set now"):
        learner(c)
    b2.set_device("cpp_standalone", build_on_run=False)
    with pytest.raises(InvalidValue, match=r"runtime device or set_device\('neuroanp'\)"):
        learner(c)


def test_workers_need_a_function_that_others_find():
    with pytest.raises(InvalidValue, match="a function at the top level of a module"):
        Workers(lambda: None, 2)
    with pytest.raises(InvalidValue, match=r"Workers\.count"):
        Workers(circuit, 0)
