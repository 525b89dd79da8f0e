"""`check_rule` lets every rule of ours through and says what is wrong with each broken one."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from neuroanp.config import registry
from neuroanp.errors import InvalidValue
from neuroanp.rules import EProp, NodePerturbation, NodeRule, NoiseRule, WeightPerturbation, pre, times
from neuroanp.testing import check_rule

NOISY = {name: rule for name, rule in registry.classes("rule").items() if issubclass(rule, NoiseRule)}

# Activity-based perturbation weighs directions by how much the recurrence amplifies them.
# The last two know nothing of the noise, and don't estimate the gradient.
LEAST = {"activity-perturbation": 0.9, "delayed-hebbian": None, "reward-stdp": None}


@pytest.mark.parametrize(
    ("name", "mirrored", "readout"),
    [
        (name, mirrored, rule.choices("readout")[0 if mirrored else -1])
        for name, rule in NOISY.items()
        for mirrored in (True, False)
    ],
)
def test_each_that_is_offered_passes_its_check(name, mirrored, readout):
    rule = registry.find("rule", name)(sigma=1e-3, mirrored=mirrored, readout=readout)
    check_rule(rule, min_cosine=LEAST.get(name, 0.999))


def test_a_rule_without_noise_is_not_for_this_check():
    with pytest.raises(InvalidValue, match=r"^check_rule\.rule: expected a rule that learns from noise"):
        check_rule(EProp())


def test_weight_noise_fresh_at_each_step_passes_its_check():
    check_rule(WeightPerturbation(sigma=1e-3, hold="step"), min_cosine=0.999)


def test_a_rule_passes_its_check_on_the_compiled_engine():
    check_rule(NodePerturbation(sigma=1e-3), min_cosine=0.999, engine="compiled")


class Held(NodePerturbation):
    """Node perturbation whose noise lasts two steps."""

    name = "held"

    @property
    def hold_steps(self):
        return 2


def test_held_noise_is_tried_as_it_is_held():
    check_rule(Held(sigma=1e-3), min_cosine=None)
    with pytest.raises(InvalidValue, match=r"Held\.__call__: .* cosine with the gradient"):
        check_rule(Held(sigma=1e-3), min_cosine=0.999)


class Signs(NodeRule):
    """Sign of the noise instead of the noise."""

    name = "signs"

    def post(self, layer, record, modulator):
        return times(modulator / self.sigma, np.sign(layer.noise))


def test_a_rule_of_ones_own_passes_its_check():
    check_rule(Signs(sigma=1e-3), min_cosine=0.999)


class Misnamed(NodePerturbation):
    """Weights of another network."""

    def __call__(self, record, modulator, state):
        return {
            f"{name}_hidden": change for name, change in super().__call__(record, modulator, state).items()
        }


class Meddling(NodePerturbation):
    """Works in the record's memory."""

    def __call__(self, record, modulator, state):
        update = super().__call__(record, modulator, state)
        record.noise[...] = 0
        return update


class Taking(NodePerturbation):
    """Works in the modulator's memory."""

    def __call__(self, record, modulator, state):
        modulator /= self.sigma if self.sigma else 1
        return super().__call__(record, modulator, state)


class Transposed(NodePerturbation):
    """Pre times post."""

    def __call__(self, record, modulator, state):
        return {name: change.T for name, change in super().__call__(record, modulator, state).items()}


class Narrow(NodePerturbation):
    """In less than the precision of the record."""

    def __call__(self, record, modulator, state):
        update = super().__call__(record, modulator, state)
        return {name: change.astype(np.float16) for name, change in update.items()}


class Dividing(NodePerturbation):
    """Divides by a mask that has zeros."""

    def __call__(self, record, modulator, state):
        scale = (1 / record.mask).sum()
        return {name: change * scale for name, change in super().__call__(record, modulator, state).items()}


class Borrowing(NodePerturbation):
    """Hands out the record's memory."""

    def __call__(self, record, modulator, state):
        update = super().__call__(record, modulator, state)
        return update | {"W_rec": record.traces[0, 0, : self._units(record)]}

    def _units(self, record):
        return record.traces.shape[-1]


class Decaying(NodePerturbation):
    """Pulls weights even without noise."""

    def __call__(self, record, modulator, state):
        update = super().__call__(record, modulator, state)
        return update | {"W_rec": update["W_rec"] + 1.0}


class Deaf(NodePerturbation):
    """Goes on when it is told that there is no noise."""

    def __call__(self, record, modulator, state):
        told = self if self.sigma else dataclasses.replace(self, sigma=1.0)
        return NodePerturbation.__call__(told, record, modulator, state)


class OneBit(NodePerturbation):
    """Sees only whether it went better."""

    def __call__(self, record, modulator, state):
        return super().__call__(record, np.sign(modulator), state)


class FirstLane(NodePerturbation):
    """Credits the first lane twice."""

    def __call__(self, record, modulator, state):
        weight = np.ones(record.mask.shape[1])
        weight[0] = 2
        return super().__call__(record, modulator * weight, state)


class Uphill(NodePerturbation):
    """Makes it worse."""

    def __call__(self, record, modulator, state):
        return super().__call__(record, -modulator, state)


class Late(NodePerturbation):
    """Traces one step late."""

    def __call__(self, record, modulator, state):
        post = times(modulator / self.sigma**2 if self.sigma else 0 * modulator, record.noise)
        update = super().__call__(record, modulator, state)
        late = np.einsum("tli,tlj->ij", post, pre(record, "W_out")).astype(float)
        return update | {"W_rec": late}


class Plain(NodePerturbation):
    """Traces that aren't decorrelated."""

    def __call__(self, record, modulator, state):
        return super().__call__(dataclasses.replace(record, decorrelation={}), modulator, state)


BROKEN = [
    (NodePerturbation, r"check_rule\.rule: expected an instance"),
    (NodePerturbation(sigma=0.0), r"NodePerturbation\.sigma: expected a number above 0"),
    (Misnamed(), r"Misnamed\.__call__: expected W_in, W_rec, W_out with readout perturb, got W_in_hidden"),
    (Meddling(), r"Meddling\.__call__: expected a record that is left as it was"),
    (Taking(), r"Taking\.__call__: expected a modulator that is left as it was"),
    (Transposed(), r"Transposed\.__call__: expected W_in of shape \(4, 2\), got \(2, 4\)"),
    (Narrow(), r"Narrow\.__call__: expected W_in of float32 or float64, got float16"),
    (Dividing(), r"Dividing\.__call__: expected finite numbers in W_in"),
    (Borrowing(), r"Borrowing\.__call__: expected a new array for W_rec"),
    (Decaying(), r"Decaying\.__call__: expected no update of W_rec with noise of zero, got one of up to 1"),
    (Deaf(), r"Deaf\.__call__: expected no update of W_in with sigma = 0"),
    (OneBit(), r"OneBit\.__call__: expected an update of W_in that is linear in the modulator"),
    (FirstLane(), r"FirstLane\.__call__: expected the same update of W_in in any order of lanes"),
    (Uphill(), r"Uphill\.__call__: expected a mean whose cosine with the gradient of W_in .*, got -1\.000"),
    (Late(), r"Late\.__call__: expected a mean whose cosine with the gradient of W_rec"),
    (Plain(), r"Plain\.__call__: expected a mean whose cosine with the gradient of W_rec"),
]


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(("rule", "message"), BROKEN, ids=[message.split(":")[0] for _, message in BROKEN])
def test_a_broken_rule_is_told_what_is_wrong(rule, message):
    with pytest.raises(InvalidValue, match=message):
        check_rule(rule)
