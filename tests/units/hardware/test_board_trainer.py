"""Training of a device that the host writes and asks: what it learns, what fails, and what is refused."""

import numpy as np
import pytest
from brian2 import ms

from neuroanp.errors import DataError, DeviceFailed, InvalidValue
from neuroanp.hardware import BoardTrainer
from neuroanp.models import LIF, TanhRNN
from neuroanp.network.network import Network
from neuroanp.optim import SGD, Adam
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import SPSA, ActivityPerturbation, NodePerturbation, OrnsteinUhlenbeck, WeightPerturbation
from neuroanp.substrate import Analog
from neuroanp.tasks import CartPole, PatternGeneration
from support.boards import AnalogBoard, BlackBox

TASK = PatternGeneration(duration=20 * ms, ticks=2)
GOAL = np.array([0.5, -1.0, 0.25, 2.0])


def trainer(device, **changes):
    settings = {
        "rule": SPSA(sigma=0.1),
        "optimizer": Adam(lr=0.05, anneal="linear"),
        "updates": 150,
        "seed": 3,
    }
    return BoardTrainer(device, TASK, {"w": np.zeros(4)}, **settings | changes)


def loss_of(made):
    return made.evaluate().loss


@pytest.mark.parametrize(
    ("rule", "modulator"),
    [
        (SPSA(sigma=0.1), Modulator()),
        (WeightPerturbation(sigma=0.1, mirrored=False), Modulator()),
        (WeightPerturbation(sigma=0.1), Modulator(baseline=RunningMean(memory=0.8))),
    ],
    ids=["two sides", "one side", "running mean"],
)
def test_a_black_box_is_learned_from_a_number(rule, modulator):
    made = trainer(BlackBox(GOAL), rule=rule, modulator=modulator, updates=400)
    before = loss_of(made)
    made.run(progress=False)
    assert before == pytest.approx((GOAL**2).mean())
    assert loss_of(made) < 0.02 * before
    np.testing.assert_array_equal(made.device.weights["w"], made.state.weights["w"])


class Drifting(BlackBox):
    """Black box whose loss drifts from run to run, and is noisy."""

    def run_trial(self, trial):
        noise = np.random.default_rng(self.runs).standard_normal()
        return super().run_trial(trial) + 0.03 * self.runs + 0.05 * noise


def test_drift_and_noise_of_a_device_are_borne():
    made = trainer(Drifting(GOAL), rule=SPSA(sigma=0.2), updates=400)
    made.run(progress=False)
    assert ((made.state.weights["w"] - GOAL) ** 2).mean() < 0.05 * (GOAL**2).mean()
    assert made.state.history["loss"][-1] > 10 * made.state.history["loss"][0]


def test_an_update_of_spsa_is_the_difference_over_the_perturbation():
    device = BlackBox(GOAL)
    made = trainer(device, optimizer=SGD(lr=1.0))
    written = []
    device.write_weights = lambda weights: (
        written.append(weights["w"].copy()),
        BlackBox.write_weights(device, weights),
    )
    made.step()
    plus, minus = (((w - GOAL) ** 2).mean() for w in written)
    delta = np.sign(written[0])
    np.testing.assert_allclose(written[0], -written[1])
    np.testing.assert_allclose(np.abs(written[0]), 0.1)
    steps = TASK.trial(None, 1).steps  # the return of a trial is the sum over its steps
    np.testing.assert_allclose(made.state.weights["w"], -steps * (plus - minus) / (2 * 0.1) * delta)


def test_failed_trials_are_repeated_with_the_same_perturbation_and_no_update_is_lost():
    whole = trainer(BlackBox(GOAL))
    whole.run(progress=False)
    broken = BlackBox(GOAL, fails=(3, 50, 51, 52), forgets=(10, 200), spoils=(31,))
    made = trainer(broken)
    made.run(progress=False)
    np.testing.assert_array_equal(made.state.weights["w"], whole.state.weights["w"])
    assert made.state.history["loss"] == whole.state.history["loss"]
    assert made.state.history["update"] == list(range(1, 151)) and broken.runs == 300 + 7
    reasons = ["TimeoutError", "ConnectionResetError", "isn't finite"]
    assert [sum(reason in line for line in made.failures) for reason in reasons] == [4, 2, 1]


def test_a_device_that_fails_on_and_on_is_given_up_and_the_update_can_be_tried_again():
    device = BlackBox(GOAL, fails=range(21, 25))
    made = trainer(device, repeats=3, updates=20)
    with pytest.raises(DeviceFailed, match=r"^update 11, plus pass: 4 failures in a row, .* no answer"):
        made.run(progress=False)
    assert made.state.update == 10
    made.run(progress=False)
    whole = trainer(BlackBox(GOAL), updates=20)
    whole.run(progress=False)
    np.testing.assert_array_equal(made.state.weights["w"], whole.state.weights["w"])


def test_mistakes_in_a_device_are_not_taken_for_failures():
    device = BlackBox(GOAL)
    device.run_trial = lambda trial: trial.nothing
    with pytest.raises(AttributeError):
        trainer(device).step()


def test_the_host_goes_on_from_its_file(tmp_path):
    file = tmp_path / "board.npz"
    whole = trainer(BlackBox(GOAL), modulator=Modulator(baseline=RunningMean()), updates=12)
    whole.run(progress=False)
    device = BlackBox(GOAL, fails=range(8, 100))
    with pytest.raises(DeviceFailed):
        trainer(device, modulator=Modulator(baseline=RunningMean()), updates=12).run(file, progress=False)
    again = trainer(BlackBox(GOAL), modulator=Modulator(baseline=RunningMean()), updates=12)
    state = again.run(file, progress=False)
    assert state.update == 12 and again.device.runs == 5
    np.testing.assert_array_equal(state.weights["w"], whole.state.weights["w"])
    with pytest.raises(DataError, match="expected the state of a training with these settings"):
        trainer(BlackBox(GOAL), seed=4, updates=12).restore(file)


@pytest.mark.parametrize("mirrored", [True, False])
def test_an_update_of_node_perturbation_is_that_of_the_rule_on_all_passes_at_once(mirrored):
    rule = NodePerturbation(sigma=0.2, mirrored=mirrored, readout_sigma=0.1)
    model, substrate = TanhRNN(hidden=5, readout_gain=1.0), Analog(device=3)
    device = AnalogBoard(model, TASK, substrate, lanes=2, perturbation=rule.perturbation)
    weights = model.start_weights(np.random.default_rng(1), TASK.n_in + 1, 1)
    asked = []
    perturb = device.perturb
    device.perturb = lambda trial, noise, seed, sign: (asked.append(seed), perturb(trial, noise, seed, sign))[
        1
    ]
    made = BoardTrainer(device, TASK, weights, rule=rule, optimizer=SGD(lr=0.1), lanes=2, seed=1)
    made.step()
    network = Network(
        device.network.model, TASK.n_in, 1, TASK.dt, lanes=2, passes=rule.passes,
        perturbation=rule.perturbation, seed=5, engine="runtime",
    )  # fmt: skip
    network.load(weights)
    record = network.run(made.trial(0), asked[0])
    update = rule(record, Modulator()(record, {}), {})
    assert len(set(asked)) == 1 and set(update) == {"W_in", "W_rec", "W_out"}
    for name, gradient in update.items():
        np.testing.assert_allclose(
            made.state.weights[name], weights[name] - 0.1 * gradient, rtol=1e-9, atol=1e-12
        )


def test_spiking_cells_on_a_device_learn_by_its_own_noise():
    rule = NodePerturbation(sigma=0.1, hold=5, readout="delta")
    model = LIF(hidden=20, input_gain=2.0)
    device = AnalogBoard(model, TASK, Analog(device=1), lanes=8, perturbation=rule.perturbation)
    weights = model.start_weights(np.random.default_rng(1), TASK.n_in + 1, 1)
    modulator = Modulator(discount=0.98, baseline=OtherLanes())
    made = BoardTrainer(
        device, TASK, weights, rule=rule, modulator=modulator, lanes=8, updates=60, seed=1,
        optimizer=Adam(lr=5e-3, input_lr=5e-2, readout_lr=3e-2),
    )  # fmt: skip
    before = made.evaluate()
    made.run(progress=False)
    after = made.evaluate()
    assert after.loss < 0.6 * before.loss and after.score < 0.6 * before.score


class NoPort:
    def write_weights(self, weights): ...


REFUSED = {
    "without run_trial": ({"device": NoPort()}, r"BoardTrainer\.device: .* NoPort without run_trial$"),
    "without perturb": ({"rule": NodePerturbation()}, r"BoardTrainer\.device, for node-.* without perturb$"),
    "fresh noise": ({"rule": WeightPerturbation(hold="step")}, r"WeightPerturbation\.hold: expected trial"),
    "delta rule": ({"rule": SPSA(readout="delta")}, r"SPSA\.readout: expected perturb or fixed"),
    "another rule": ({"rule": OrnsteinUhlenbeck()}, r"BoardTrainer\.rule: expected WeightPerturbation, SPSA"),
    "same weights": (
        {"modulator": Modulator(baseline=OtherLanes()), "lanes": 2}, r"Modulator\.baseline: .* OtherPass"
    ),
    "plant": ({"task": CartPole()}, r"BoardTrainer\.task: expected a task with targets"),
    "no weights": ({"weights": {}}, r"BoardTrainer\.weights: expected at least one array"),
    "no updates": ({"updates": 0}, r"BoardTrainer\.updates: expected a whole number of 1 or more"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_can_not_work_is_refused_before_any_trial(case):
    changes, message = REFUSED[case]
    settings = {"device": BlackBox(GOAL), "task": TASK, "weights": {"w": np.zeros(4)}, "rule": SPSA()}
    settings |= changes
    with pytest.raises(InvalidValue, match=f"^{message}"):
        BoardTrainer(**settings)
    assert getattr(settings["device"], "runs", 0) == 0


@pytest.mark.parametrize("answer", [None, "0.5", [0.1, [0.2]], 1j])
def test_an_answer_that_is_no_number_is_said_and_not_repeated(answer):
    device = BlackBox(GOAL)
    device.run_trial = lambda trial: answer
    made = trainer(device)
    with pytest.raises(InvalidValue, match=r"^the device's outcome: expected a number or an array"):
        made.step()
    np.testing.assert_array_equal(made.state.weights["w"], 0)


def test_rules_and_weights_of_other_kinds_are_refused_for_a_device_that_perturbs():
    device = AnalogBoard(TanhRNN(hidden=3), TASK, Analog(), lanes=1)
    weights = TanhRNN(hidden=3).start_weights(np.random.default_rng(0), TASK.n_in, 1)
    with pytest.raises(InvalidValue, match=r"^BoardTrainer\.rule: expected a rule of noise and traces alone"):
        BoardTrainer(device, TASK, weights, rule=ActivityPerturbation())
    with pytest.raises(InvalidValue, match=r"^BoardTrainer\.weights: expected W_in, W_rec, W_out, for node-"):
        BoardTrainer(device, TASK, {"w": np.zeros(4)}, rule=NodePerturbation())
    with pytest.raises(
        InvalidValue, match=r"^BoardTrainer\.weights\['W_out'\]: expected shape \(1, 3\), got"
    ):
        BoardTrainer(device, TASK, weights | {"W_out": np.zeros((2, 3))}, rule=NodePerturbation())


@pytest.mark.parametrize(
    ("outcome", "charged"),
    [
        (2.0, [[0, 0], [0, 0], [6, 2], [0, 0]]),
        ([2.0, 4.0], [[0, 0], [0, 0], [6, 4], [0, 0]]),
        (np.ones((4, 2)), np.ones((4, 2))),
        (np.full((4, 2, 1), 3.0), np.full((4, 2), 9.0)),
    ],
    ids=["number", "lanes", "steps", "outputs"],
)  # fmt: skip
def test_outcomes_of_all_forms_have_the_same_mean(outcome, charged):
    from neuroanp.hardware.device import losses
    from neuroanp.network.trial import Trial

    mask = np.array([[1, 0], [1, 0], [1, 1], [0, 0]], float)
    trial = Trial(np.zeros((4, 2, 1)), np.zeros((4, 2, 1)), mask)
    np.testing.assert_allclose(losses("Device.run_trial", outcome, trial, None), charged)
    with pytest.raises(
        InvalidValue, match=r"^Device\.run_trial: expected an array of shape .* got shape \(3,\)"
    ):
        losses("Device.run_trial", np.zeros(3), trial, None)
    with pytest.raises(
        InvalidValue, match=r"^Device\.run_trial: expected losses, as those of the task are abs"
    ):
        losses("Device.run_trial", np.zeros((4, 2, 1)), trial, "abs(y - target)")
