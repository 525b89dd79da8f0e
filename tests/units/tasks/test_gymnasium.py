"""Gymnasium environments as tasks: the same episodes as Gymnasium's own, and learning in them."""

import sys

import numpy as np
import pytest

from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.models import BalancedLIF
from neuroanp.network.network import Network
from neuroanp.network.perturbation import Perturbation
from neuroanp.tasks import CartPole, Gymnasium, GymnasiumPlant, cart_pole
from neuroanp.training.evaluation import evaluate
from neuroanp.training.train import train

SCALE = (cart_pole.EDGE, 2.0, cart_pole.TILT, 2.0)


@pytest.fixture
def gym():
    return pytest.importorskip("gymnasium", reason="gymnasium is not installed")


def network_of(task, lanes):
    network = Network(
        BalancedLIF(hidden=20), task.n_in, task.n_out, task.dt, lanes=lanes, passes=("plus",), seed=3,
        perturbation=Perturbation(target="nodes", sigma=1.0, hold_steps=4, readout=True), plant=task.plant,
        engine="runtime",
    )  # fmt: skip
    network.load(network.model.initial_weights(np.random.default_rng(2), network.n_in, network.n_out))
    return network


def test_its_cart_pole_is_ours(gym):
    """The environment shows float32, so spikes may differ late in an episode; here none does."""
    theirs, ours = Gymnasium(longest=60, scale=SCALE), CartPole(longest=60)
    trial = theirs.trial(np.random.default_rng(0), 8)
    record = network_of(theirs, 8).run(trial, 7)
    starts = []
    for seed in trial.plant["seed"]:
        env = gym.make("CartPole-v1")
        env.reset(seed=int(seed))
        starts.append(env.unwrapped.state)
    same = ours.trial(np.random.default_rng(0), 8)
    same.plant.update(zip(("x", "v", "theta", "omega"), np.array(starts).T, strict=True))
    brian = network_of(ours, 8).run(same, 7)
    np.testing.assert_array_equal(record.mask, brian.mask)
    np.testing.assert_array_equal(record.traces, brian.traces)
    np.testing.assert_allclose(record.inputs, brian.inputs, atol=1e-6)
    reward = -record.loss[::4, 0]
    np.testing.assert_array_equal(reward, record.mask[::4])
    assert not record.loss[1::4].any()
    assert 0 < record.mask.mean() < 1


@pytest.mark.parametrize(
    ("env", "n_in", "n_out"),
    [("CartPole-v1", 4, 1), ("MountainCar-v0", 2, 3), ("Pendulum-v1", 3, 1), ("FrozenLake-v1", 16, 4)],
)
def test_an_episode_is_the_environments_own(gym, env, n_in, n_out):
    """Replay the readouts of a trial in a fresh environment."""
    task = Gymnasium(env=env, longest=30, episodes=3)
    assert (task.n_in, task.n_out) == (n_in, n_out)
    network = network_of(task, 3)
    trial = task.trial(np.random.default_rng(1), 3)
    record = network.run(trial, 7)
    plant = GymnasiumPlant(env=env)
    for lane in range(3):
        state = plant.reset({"seed": trial.plant["seed"][[lane]]})
        for move in range(30):
            at = 0 if move == 0 else 4 * move - 3
            np.testing.assert_allclose(record.inputs[at, lane, :n_in], state.observations[0], atol=1e-12)
            y = record.outputs[4 * move, 0, [lane]]
            state, loss, over = plant.move(state, y, np.array([True]))
            assert record.loss[4 * move, 0, lane] == pytest.approx(loss[0])
            if over[0]:
                assert not record.mask[4 * move + 1 :, lane].any()
                break


def test_actions_reach_the_bounds(gym):
    plant = GymnasiumPlant(env="Pendulum-v1")
    choose = plant._choice[1]
    assert [float(choose(np.array([y]))[0]) for y in (-9.0, -0.5, 0.0, 1.0)] == [-2.0, -1.0, 0.0, 2.0]
    assert GymnasiumPlant(env="MountainCar-v0")._choice[1](np.array([0.0, 2.0, 1.0])) == 1
    np.testing.assert_allclose(plant._divisor, [1, 1, 8])


def test_the_score_is_the_sum_of_rewards(gym):
    task = Gymnasium(env="Pendulum-v1", longest=20, episodes=4)
    tested = evaluate(network_of(task, 4), task, task.evaluation(np.random.default_rng(5)))
    assert tested.score == pytest.approx(-tested.trial.charged.sum() / 4)
    assert tested.loss == pytest.approx(tested.trial.charged.sum() / (4 * 80))
    assert task.trivial_scores()["random"] == pytest.approx(-20 * 4 * task.trivial()["random"], rel=1e-9)
    with pytest.raises(InvalidValue, match=r"^Gymnasium\.score: expected a trial that was run"):
        task.score(tested.outputs, task.evaluation(np.random.default_rng(5)))


@pytest.mark.usefixtures("gym", "interpreted")
def test_training_in_an_environment_is_repeatable():
    first, again = (
        train(task=Gymnasium(longest=20, episodes=3), lanes=4, updates=3, seed=2, progress=False)
        for _ in range(2)
    )
    assert len({*first.history["loss"]}) > 1
    np.testing.assert_array_equal(first.history["loss"], again.history["loss"])


def test_what_can_not_be_acted_in_is_refused(gym, monkeypatch):
    with pytest.raises(InvalidValue, match=r"^Gymnasium\.env: expected the name of an environment, got Cart"):
        _ = Gymnasium(env="Cart").n_in
    with pytest.raises(InvalidValue, match=r"^GymnasiumPlant\.scale: expected 4 numbers"):
        GymnasiumPlant(scale=(1.0, 2.0))
    with pytest.raises(InvalidValue, match=r"^GymnasiumPlant\.scale: expected numbers above 0"):
        GymnasiumPlant(scale=(0.0,))
    monkeypatch.setitem(sys.modules, "gymnasium", None)
    with pytest.raises(MissingExtra, match=r"gymnasium is not installed: pip install 'neuroanp\[gym\]'"):
        train(task=Gymnasium())


def kind(gym, name, action, seen=None, shown=None, reward=0.0):
    """An environment whose spaces are these, that checks its actions and keeps the last one."""

    class Env(gym.Env):
        action_space, observation_space = action, seen or gym.spaces.Box(-1, 1, (2,))

        def reset(self, seed=None, options=None):
            super().reset(seed=seed)
            return self.observation_space.sample(), {}

        def step(self, action):
            assert self.action_space.contains(action), action
            self.unwrapped.last = action
            observation = self.observation_space.sample() if shown is None else np.array(shown, "f4")
            return observation, reward, False, False, {}

    gym.register(f"{name}-v0", Env, disable_env_checker=True)
    return f"{name}-v0"


def test_bounds_on_one_side_and_bounds_as_good_as_none(gym):
    largest = np.finfo(np.float32).max
    low, high = np.array([0, -np.inf, -largest, -1], "f4"), np.array([np.inf, 2, largest, 3], "f4")
    plant = GymnasiumPlant(env=kind(gym, "Half", gym.spaces.Box(low, high)))
    state = plant.reset(plant.draw_start(np.random.default_rng(0), 1))
    for y, expected in ((-1.5, [0, -1.5, -1.5, -1]), (0.5, [0.5, 0.5, 0.5, 2]), (7.0, [7, 2, 7, 3])):
        state, _, _ = plant.move(state, np.full((1, 4), y), np.ones(1, bool))
        np.testing.assert_array_equal(state.environments[0].unwrapped.last, np.array(expected, "f4"))


def test_observations_that_are_no_vector_are_refused(gym):
    spaces = gym.spaces
    name = kind(gym, "Sequence", spaces.Discrete(2), spaces.Sequence(spaces.Discrete(3)))
    with pytest.raises(
        InvalidValue, match=r"GymnasiumPlant\.env: expected observations that make one vector"
    ):
        GymnasiumPlant(env=name)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"reward": np.nan}, r"^reward of Bad-v0: expected a finite number, got nan"),
        ({"reward": None}, r"^reward of Bad-v0: expected a finite number, got None"),
        (
            {"shown": [0, np.inf]},
            r"^observation of Bad-v0: expected finite numbers of Box.*, got array\(\[ 0., inf",
        ),
        ({"shown": [0, 0, 0]}, r"^observation of Bad-v0: expected finite numbers of Box"),
    ],
)
def test_what_an_environment_gives_has_to_be_finite_numbers(gym, given, message):
    plant = GymnasiumPlant(env=kind(gym, "Bad", gym.spaces.Discrete(2), **given))
    state = plant.reset(plant.draw_start(np.random.default_rng(0), 1))
    with pytest.raises(InvalidValue, match=message):
        plant.move(state, np.zeros((1, 1)), np.ones(1, bool))
    gym.registry.pop("Bad-v0")


def test_no_module_is_imported_for_a_name(gym, tmp_path, monkeypatch):
    (tmp_path / "trap_of_a_name.py").write_text("raise SystemExit('imported')")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(InvalidValue, match="import trap_of_a_name first"):
        GymnasiumPlant(env="trap_of_a_name:Env-v0")
