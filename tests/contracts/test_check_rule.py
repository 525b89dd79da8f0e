"""`check_rule` lets every rule of ours through and says what is wrong with each broken one."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest

from neuroanp.config import registry
from neuroanp.errors import InvalidValue
from neuroanp.rules import EProp, NodePerturbation, NodeRule, NoiseRule, WeightPerturbation, pre, times
from neuroanp.testing import check_rule

part = dataclasses.dataclass(frozen=True, kw_only=True)

NOISY = {name: rule for name, rule in registry.rules().items() if issubclass(rule, NoiseRule)}

# Activity-based perturbation weighs directions by how much the recurrence amplifies them.
# The last two know nothing of the noise, and don't estimate the gradient.
LEAST = {"activity-perturbation": 0.9, "delayed-hebbian": None, "reward-stdp": None}


@pytest.mark.parametrize("mirrored", [True, False])
@pytest.mark.parametrize(
    ("name", "readout"), [(name, readout) for name, rule in NOISY.items() for readout in rule.readouts]
)
def test_all_that_are_offered(name, mirrored, readout):
    rule = registry.find("rule", name)(sigma=1e-3, mirrored=mirrored, readout=readout)
    check_rule(rule, min_cosine=LEAST.get(name, 0.999))


def test_a_rule_without_noise_is_not_for_this_check():
    with pytest.raises(InvalidValue, match=r"^check_rule\.rule: expected a rule that learns from noise"):
        check_rule(EProp())


def test_weight_noise_fresh_at_each_step():
    check_rule(WeightPerturbation(sigma=1e-3, hold="step"), min_cosine=0.999)


def test_the_compiled_engine_will_do_too():
    check_rule(NodePerturbation(sigma=1e-3), min_cosine=0.999, engine="compiled")


@part
class Held(NodePerturbation):
    """Node perturbation whose noise lasts two steps."""

    name: ClassVar[str] = "held"

    @property
    def held(self):
        return 2


def test_held_noise_is_tried_as_it_is_held():
    check_rule(Held(sigma=1e-3), min_cosine=None)
    with pytest.raises(InvalidValue, match=r"Held\.update: .* cosine with the gradient"):
        check_rule(Held(sigma=1e-3), min_cosine=0.999)


@part
class Signs(NodeRule):
    """Sign of the noise instead of the noise."""

    name: ClassVar[str] = "signs"

    def post(self, layer, record, modulator):
        return times(modulator / self.sigma, np.sign(layer.noise))


def test_a_rule_of_ones_own_passes():
    check_rule(Signs(sigma=1e-3), min_cosine=0.999)


@part
class Misnamed(NodePerturbation):
    """Weights of another network."""

    def update(self, record, modulator):
        return {f"{name}_hidden": change for name, change in super().update(record, modulator).items()}


@part
class Meddling(NodePerturbation):
    """Works in the record's memory."""

    def update(self, record, modulator):
        update = super().update(record, modulator)
        record.noise[...] = 0
        return update


@part
class Taking(NodePerturbation):
    """Works in the modulator's memory."""

    def update(self, record, modulator):
        modulator /= self.sigma if self.sigma else 1
        return super().update(record, modulator)


@part
class Transposed(NodePerturbation):
    """Pre times post."""

    def update(self, record, modulator):
        return {name: change.T for name, change in super().update(record, modulator).items()}


@part
class Narrow(NodePerturbation):
    """In less than the precision of the record."""

    def update(self, record, modulator):
        update = super().update(record, modulator)
        return {name: change.astype(np.float16) for name, change in update.items()}


@part
class Dividing(NodePerturbation):
    """Divides by a mask that has zeros."""

    def update(self, record, modulator):
        scale = (1 / record.mask).sum()
        return {name: change * scale for name, change in super().update(record, modulator).items()}


@part
class Borrowing(NodePerturbation):
    """Hands out the record's memory."""

    def update(self, record, modulator):
        update = super().update(record, modulator)
        return update | {"W_rec": record.state[0, 0, : self._units(record)]}

    def _units(self, record):
        return record.state.shape[-1]


@part
class Decaying(NodePerturbation):
    """Pulls weights even without noise."""

    def update(self, record, modulator):
        update = super().update(record, modulator)
        return update | {"W_rec": update["W_rec"] + 1.0}


@part
class Deaf(NodePerturbation):
    """Goes on when it is told that there is no noise."""

    def update(self, record, modulator):
        told = self if self.sigma else dataclasses.replace(self, sigma=1.0)
        return NodePerturbation.update(told, record, modulator)


@part
class OneBit(NodePerturbation):
    """Sees only whether it went better."""

    def update(self, record, modulator):
        return super().update(record, np.sign(modulator))


@part
class FirstLane(NodePerturbation):
    """Credits the first lane twice."""

    def update(self, record, modulator):
        weight = np.ones(record.mask.shape[1])
        weight[0] = 2
        return super().update(record, modulator * weight)


@part
class Uphill(NodePerturbation):
    """Makes it worse."""

    def update(self, record, modulator):
        return super().update(record, -modulator)


@part
class Late(NodePerturbation):
    """Traces one step late."""

    def update(self, record, modulator):
        post = times(modulator / self.sigma**2 if self.sigma else 0 * modulator, record.noise)
        update = super().update(record, modulator)
        late = np.einsum("tli,tlj->ij", post, pre(record, "W_out")).astype(float)
        return update | {"W_rec": late}


@part
class Plain(NodePerturbation):
    """Traces that aren't decorrelated."""

    def update(self, record, modulator):
        return super().update(dataclasses.replace(record, decorrelation={}), modulator)


BROKEN = [
    (NodePerturbation, r"check_rule\.rule: expected an instance"),
    (NodePerturbation(sigma=0.0), r"NodePerturbation\.sigma: expected a number above 0"),
    (Misnamed(), r"Misnamed\.update: expected W_in, W_rec, W_out with readout perturb, got W_in_hidden"),
    (Meddling(), r"Meddling\.update: expected a record that is left as it was"),
    (Taking(), r"Taking\.update: expected a modulator that is left as it was"),
    (Transposed(), r"Transposed\.update: expected W_in of shape \(4, 2\), got \(2, 4\)"),
    (Narrow(), r"Narrow\.update: expected W_in of float32 or float64, got float16"),
    (Dividing(), r"Dividing\.update: expected finite numbers in W_in"),
    (Borrowing(), r"Borrowing\.update: expected a new array for W_rec"),
    (Decaying(), r"Decaying\.update: expected no update of W_rec with noise of zero, got one of up to 1"),
    (Deaf(), r"Deaf\.update: expected no update of W_in with sigma = 0"),
    (OneBit(), r"OneBit\.update: expected an update of W_in that is linear in the modulator"),
    (FirstLane(), r"FirstLane\.update: expected the same update of W_in in any order of lanes"),
    (Uphill(), r"Uphill\.update: expected a mean whose cosine with the gradient of W_in .*, got -1\.000"),
    (Late(), r"Late\.update: expected a mean whose cosine with the gradient of W_rec"),
    (Plain(), r"Plain\.update: expected a mean whose cosine with the gradient of W_rec"),
]


@pytest.mark.filterwarnings("ignore:divide by zero", "ignore:invalid value")
@pytest.mark.parametrize(("rule", "message"), BROKEN, ids=[message.split(":")[0] for _, message in BROKEN])
def test_a_broken_rule_is_told_what_is_wrong(rule, message):
    with pytest.raises(InvalidValue, match=message):
        check_rule(rule)
