"""What `verify` says of rules whose limits are known, and the command."""

import json

import numpy as np
import pytest
from brian2 import ms

from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue, UnknownName
from neuroanp.models import LIF, TanhRNN
from neuroanp.reward.modulator import Modulator
from neuroanp.rules import (
    ActivityPerturbation,
    NodePerturbation,
    RandomFeedback,
    ReadoutOnly,
    WeightPerturbation,
)
from neuroanp.tasks import CartPole, CopyingMemory, PatternGeneration

pytest.importorskip("jax", reason="jax is not installed")
from neuroanp.gradients import BPTT
from neuroanp.verify import estimate, verify

SHORT = CopyingMemory(alphabet=5, length=2, delay=1)
SMALL = {"model": TanhRNN(hidden=12), "task": SHORT, "modulator": Modulator(), "lanes": 4}


def test_node_perturbation_is_unbiased_and_its_cosine_rises_with_samples():
    found = estimate(NodePerturbation(sigma=0.01, readout="delta"), samples=600, **SMALL)
    for name in ("W_in", "W_rec"):
        cosine = np.array(found[name].cosine)
        assert cosine[-1] > 0.97 and cosine[0] < 0.8 and found[name].limit > 0.99
        assert abs(found[name].scale - 1) < 4 * found[name].scale_error
        assert found[name].bias < 0.1
        n = np.array(found[name].samples)
        foreseen = 1 / np.sqrt(1 + found[name].deviation ** 2 / n)
        np.testing.assert_allclose(cosine[3:], foreseen[3:], atol=0.12)
    assert found["W_out"].cosine[0] > 0.999


def test_without_the_future_the_limit_is_the_truncated_gradients():
    step = estimate(
        NodePerturbation(readout="delta"), samples=600, **SMALL | {"modulator": Modulator(discount=0.0)}
    )
    true, short = (estimate(rule, samples=4, **SMALL) for rule in (BPTT(), BPTT(truncation=1)))
    for name in ("W_in", "W_rec"):
        assert true[name].limit == pytest.approx(1) and true[name].scale == pytest.approx(1)
        assert true[name].deviation == pytest.approx(0, abs=1e-6)
        assert short[name].limit < 0.95
        assert step[name].limit == pytest.approx(short[name].limit, abs=0.05)
        assert step[name].scale == pytest.approx(short[name].scale, abs=0.1)


def test_weights_are_perturbed_without_bias_and_with_more_variance():
    nodes, weights = (
        estimate(rule, samples=400, **SMALL)["W_rec"]
        for rule in (NodePerturbation(readout="delta"), WeightPerturbation(sigma=1e-3))
    )
    assert abs(weights.scale - 1) < 4 * weights.scale_error
    assert weights.deviation > 1.5 * nodes.deviation


@pytest.mark.usefixtures("interpreted")
def test_what_has_no_gradient_is_told_by_its_limit():
    found = estimate(RandomFeedback(), samples=4, **SMALL)
    assert found["W_rec"].limit < 0.7 and found["W_rec"].deviation == pytest.approx(0, abs=1e-6)
    assert set(estimate(ReadoutOnly(), samples=4, **SMALL)) == {"W_out"}


@pytest.mark.usefixtures("interpreted")
def test_noise_alone_has_no_limit():
    class Noise(NodePerturbation):
        name = "noise"
        draws = np.random.default_rng(0)

        def __call__(self, record, modulator, state):
            return {"W_rec": self.draws.normal(size=(12, 12))}

    found = estimate(Noise(), samples=200, **SMALL)["W_rec"]
    assert np.isnan(found.limit) and found.bias == 0
    assert abs(found.scale) < 4 * found.scale_error
    assert abs(found.cosine[-1]) < 4 / 12


@pytest.mark.usefixtures("interpreted")
def test_the_report_says_what_is_known():
    report = verify(ActivityPerturbation(mirrored=False), samples=8, sweeps=("sigma", "steps", "discount"),
                    **SMALL | {"modulator": Modulator(discount=0.9)})  # fmt: skip
    text = str(report)
    said = (
        "activity-perturbation in tanh (12 units) on copying-memory, 4 lanes", "sigma", "steps",
        "- Each step is divided by", "- Discount 0.9: what noise does to the loss more than about 10",
        "- One-sided noise",
    )  # fmt: skip
    for words in said:
        assert words in text
    assert [sweep.name for sweep in report.sweeps] == ["sigma", "steps", "discount"]
    assert report.sweeps[0].values == pytest.approx((0.001, 0.01, 0.1))
    assert len(report.figure().axes) == 4
    assert json.loads(json.dumps(report.as_json()))["estimates"].keys() == {"W_in", "W_rec", "W_out"}
    assert verify(NodePerturbation(), samples=4, sweeps=(), **SMALL).limits == []


@pytest.mark.slow
def test_spikes_are_compared_with_a_surrogate():
    report = verify(
        NodePerturbation(sigma=0.1, hold=10, readout="delta"), LIF(hidden=30, bias_mean=1.1),
        PatternGeneration(duration=200 * ms, ticks=4), modulator=Modulator(discount=0.98), samples=400,
        lanes=8, sweeps=(),
    )  # fmt: skip
    assert report.estimates["W_out"].limit > 0.97
    assert report.estimates["W_in"].cosine[-1] > 0.25
    assert any("surrogate" in why for why in report.limits)


def test_what_can_not_be_measured_is_refused():
    with pytest.raises(InvalidValue, match=r"^verify\.samples: expected a whole number of 4 or more, got 3"):
        estimate(NodePerturbation(), samples=3, **SMALL)
    with pytest.raises(InvalidValue, match=r"^verify\.steps: expected 1 to 5"):
        estimate(NodePerturbation(), samples=4, steps=9, **SMALL)
    with pytest.raises(InvalidValue, match=r"^verify\.task: expected a task with targets"):
        estimate(NodePerturbation(), samples=4, **SMALL | {"task": CartPole()})
    with pytest.raises(UnknownName, match=r"verify\.sweeps"):
        verify(NodePerturbation(), samples=4, sweeps=("lanes",), **SMALL)


@pytest.mark.slow
@pytest.mark.usefixtures("interpreted")
def test_the_command_leaves_table_figure_and_numbers(tmp_path, capsys):
    words = ["verify", "node-perturbation", "tanh", "copying-memory", "--samples", "8", "--lanes", "4",
             "--model.hidden", "10", "--task.length", "2", "--sweeps", "discount"]  # fmt: skip
    assert main([*words, "--out", str(tmp_path / "found")]) == 0
    printed = capsys.readouterr().out
    assert "node-perturbation in tanh (10 units) on copying-memory, 4 lanes" in printed
    assert {path.name for path in (tmp_path / "found").iterdir()} == {
        "table.txt",
        "estimates.json",
        "figure.png",
    }
    assert (tmp_path / "found" / "table.txt").read_text() in printed
    assert main([*words, "--json", "--out", str(tmp_path / "other")]) == 0
    assert json.loads(capsys.readouterr().out)["sweeps"][0]["name"] == "discount"
    for wrong, message in (
        (["verify"], "expected a rule, a model and a task"),
        (["verify", "node-perturbation", "tanh", "copy"], "did you mean"),
        ([*words, "--samples", "x"], "--samples: expected a whole number"),
    ):
        assert main(wrong) == 2
        assert message in capsys.readouterr().err


@pytest.mark.usefixtures("interpreted")
def test_a_rule_of_ones_own_says_its_limit():
    class Own(NodePerturbation):
        name = "own"
        bias_note = "It is not one."

    assert verify(Own(), samples=4, sweeps=(), **SMALL).limits == ["It is not one."]
