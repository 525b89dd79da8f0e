"""What `headroom` says of tasks whose answer is known, its controls, and the command."""

from __future__ import annotations

import json

import numpy as np
import pytest

from neuroanp.cli.main import main
from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.gradients import BPTT
from neuroanp.models import EI, LIF
from neuroanp.network.trial import Trial
from neuroanp.optim import SGD
from neuroanp.rules import Force, RewardSTDP
from neuroanp.tasks import CartPole, CopyingMemory
from neuroanp.training.loop import Trainer
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task
from neuroanp.verify import Arm, Headroom, Outcome, headroom
from neuroanp.verify.headroom import Unconnected, _dealt, _trainings

MEMORY = CopyingMemory(alphabet=4, length=2, delay=1, evaluation_trials=64)


class Product(Task):
    """Product of two present inputs: of no use to remember, and no readout of the inputs has it."""

    name = "product"
    n_in, n_out = 2, 1

    def trial(self, rng, lanes, index=0):
        inputs = rng.choice([-1.0, 1.0], (6, lanes, 2))
        return Trial(inputs, inputs.prod(axis=2, keepdims=True))

    def evaluation(self, rng):
        return self.trial(rng, 64)


@pytest.fixture
def no_jax(monkeypatch):
    """An installation without the extra `compare`."""

    def absent(self):
        raise MissingExtra("jax", "compare")

    monkeypatch.setattr(BPTT, "require_extras", absent)


def recipe(task, **changes):
    """The task's recipe, small."""
    own = Recipe.of(task)
    return own.replace(model=own.model.replace(hidden=20), lanes=16, updates=100).replace(**changes)


def test_a_task_of_memory_needs_recurrence_and_hidden_weights():
    pytest.importorskip("jax", reason="jax is not installed")
    found = headroom(MEMORY, recipe(MEMORY))
    losses = {name: arm.each("loss") for name, arm in found.arms.items()}
    assert list(losses) == ["ours", "readout", "no recurrence", "shuffled", "bptt"]
    floor = MEMORY.trivial()["memoryless"]
    assert losses["no recurrence"].min() > floor > losses["readout"].max() > losses["ours"].max()
    assert losses["bptt"].max() < losses["ours"].min() and losses["shuffled"].min() > floor
    assert found.way == pytest.approx(
        (losses["readout"] - losses["ours"]).mean() / (losses["readout"] - losses["bptt"]).mean()
    )
    said = str(found)
    assert "Learning hidden weights shows here" in said and "Recurrence matters here" in said
    assert f"ours goes {100 * found.way:.0f} %." in said and "seeds 100, 101, 102" in said


def test_ours_is_what_train_gives():
    found = headroom(MEMORY, recipe(MEMORY, updates=5), seeds=(7,)).arms["ours"].outcomes[0]
    run = Trainer(MEMORY, recipe(MEMORY, updates=5), seed=7, dtype="float32").run(False)
    assert (found.loss, found.score) == (run.result["test_loss"], run.result["score"])


@pytest.mark.usefixtures("no_jax")
def test_a_task_without_memory_needs_no_recurrence():
    task = Product()
    found = headroom(task, recipe(task, updates=40))
    assert not found.clear("ours", "no recurrence")
    assert "Recurrence does not show here" in str(found)


def test_without_recurrence_a_trace_is_that_of_the_input_alone():
    made = Trainer(MEMORY, recipe(MEMORY, decorrelation=None), seed=1, build=Unconnected, tests=0)
    for index in range(3):
        made.learn(made.trial(index), index)
    record = made.network.run(made.trial(3), sigma=0.0)
    np.testing.assert_allclose(record.trace[1:], np.tanh(record.inputs @ made.state.weights["W_in"].T))
    assert made.state.weights["W_rec"].any() and not record.weights["W_rec"].any()


def test_dealing_keeps_the_weights_of_each_cell_and_their_signs():
    rng = np.random.default_rng(0)
    W = rng.normal(size=(8, 8))
    dealt = _dealt(W, rng, 8, ())
    assert (dealt != W).any() and (np.sort(dealt, axis=1) == np.sort(W, axis=1)).all()
    signed = EI(hidden=8).initial_weights(rng, 2, 1)["W_rec"]
    dealt = _dealt(signed, rng, 8, EI.signed)
    assert (dealt != signed).any() and (np.sign(dealt) == np.sign(signed)).all()
    wired = LIF(hidden=8, density=0.5).initial_weights(rng, 2, 1)["W_rec"]
    dealt = _dealt(wired, rng, 8, ())
    assert (dealt != wired).any()
    assert (np.sort(dealt.reshape(8, 4), axis=1) == np.sort(wired.reshape(8, 4), axis=1)).all()


def test_in_closed_loop_the_readout_learns_alone_and_there_is_no_gradient():
    task = CartPole(longest=20)
    trainings, skipped = _trainings(task, recipe(task, lanes=4))
    assert "bptt" not in trainings and "closed loop" in skipped
    made = Trainer(task, trainings["readout"].recipe, seed=1, tests=0)
    before = made.state.weights
    made.step()
    assert {n for n, w in made.state.weights.items() if (w != before[n]).any()} == {"W_out"}
    with pytest.raises(InvalidValue, match=r"^headroom\.recipe\.rule: expected node-perturbation for a task"):
        headroom(task, recipe(task, rule=RewardSTDP(mirrored=False)))


def outcomes(*losses):
    """An arm with these losses."""
    return Arm("arm", tuple(Outcome(loss=loss, score=1 - loss) for loss in losses))


def report(ours, readout, bptt=None, **changes):
    """A report of three seeds in which both controls are the readout."""
    arms = {"ours": ours, "readout": readout, "no recurrence": readout, "shuffled": readout}
    arms |= {} if bptt is None else {"bptt": bptt}
    settings = {
        "title": "", "arms": arms, "seeds": tuple(range(len(ours.outcomes))), "judged_by": "loss",
        "score_name": "score", "higher_is_better": True, "trivial": {"zero": 2.0}, "skipped": "",
        "config": {},
    }  # fmt: skip
    return Headroom(**settings | changes)


def test_differences_pair_the_seeds():
    far = outcomes(0.5, 1.0, 1.5)
    found = report(outcomes(0.4, 0.91, 1.39), far, outcomes(0.3, 0.8, 1.3))
    gain, error = found.gain("ours", "readout")
    assert gain == pytest.approx(0.1) and error == pytest.approx(0.01 / np.sqrt(3))
    assert found.clear("ours", "readout") and found.way == pytest.approx(0.5)
    assert "better (loss by 0.1 ± 0.006)" in str(found) and "ours goes 50 %." in str(found)


def test_what_is_not_clear_is_not_said():
    found = report(outcomes(0.4, 1.1, 1.3), outcomes(0.5, 1.0, 1.5), outcomes(0.6, 0.9, 1.6))
    assert found.way is None
    said = str(found)
    assert "Learning hidden weights does not show here: ours is not clearly better" in said
    assert "There is no headroom to measure: BPTT is not clearly worse" in said
    worse = report(outcomes(0.6, 1.1, 1.6), outcomes(0.5, 1.0, 1.5), outcomes(0.4, 0.9, 1.4))
    assert "ours goes nothing." in str(worse) and worse.way == pytest.approx(-1)
    assert "One seed tells no spread" in str(report(outcomes(0.1), outcomes(0.2), outcomes(0.1)))
    fallen = Arm("arm", (*outcomes(0.1, 0.2).outcomes, Outcome(loss=3.0, score=0.0, diverged=True)))
    assert "1 of 3 diverged" in str(report(fallen, outcomes(0.2, 0.3, 0.4)))
    won = str(report(outcomes(0.1, 0.1, 0.1), fallen))
    assert "does not show here: ours is not clearly better (loss by" in won
    assert "over trainings that diverged" in won


def test_tasks_judged_by_score_are_compared_by_it():
    scored = {"judged_by": "score"}
    found = report(outcomes(0.4, 0.9, 1.4), outcomes(0.5, 1.0, 1.5), **scored)
    assert found.gain("ours", "readout")[0] == pytest.approx(0.1)
    assert report(*(found.arms[name] for name in ("ours", "readout")), **scored, higher_is_better=False).gain(
        "ours", "readout"
    )[0] == pytest.approx(-0.1)


@pytest.mark.usefixtures("no_jax")
def test_the_command_prints_and_stores(capsys, tmp_path):
    out = tmp_path / "memory.json"
    words = (
        "headroom copying-memory --updates 3 --lanes 4 --model.hidden 8 --length 2 --seeds 100,105 --quiet"
    )
    assert main([*words.split(), "--out", str(out)]) == 0
    said, stored = capsys.readouterr().out, json.loads(out.read_text())
    assert "copying-memory, tanh of 8, 3 updates of 4 lanes, seeds 100, 105" in said
    assert "BPTT is left out: " in said and "neuroanp[compare]" in said
    assert stored["seeds"] == [100, 105] and len(stored["arms"]["ours"]["outcomes"]) == 2
    assert stored["config"]["task"]["length"] == 2 and "bptt" not in stored["arms"]
    assert all(sentence in said for sentence in stored["sentences"])
    assert main([*words.split(), "--out", str(out)]) == 2
    assert "expected a new file" in capsys.readouterr().err


@pytest.mark.parametrize("seeds", [(), (100, 101, 100)])
def test_no_seeds_and_one_twice_are_refused(seeds):
    with pytest.raises(InvalidValue, match=r"^headroom\.seeds: expected at least one, each once"):
        headroom(MEMORY, seeds=seeds)


def test_a_rule_whose_steps_suit_no_other_arm_is_refused():
    with pytest.raises(InvalidValue, match=r"^headroom\.recipe\.rule: expected a rule that estimates"):
        headroom(MEMORY, recipe(MEMORY, rule=Force(), optimizer=SGD(lr=1.0), decorrelation=None))
