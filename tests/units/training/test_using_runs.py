"""A trained network is a thing to use: outputs, variables, tables, and another training."""

import os
import threading

import numpy as np
import pytest
from brian2 import Hz

import neuroanp as nap
from neuroanp.config import document
from neuroanp.errors import DataError, InvalidValue
from neuroanp.models import LIF, ConductanceLIF, TanhRNN
from neuroanp.optim import SGD
from neuroanp.reward import RunningMean
from neuroanp.rules import EscapeScore, NodePerturbation, WeightPerturbation
from neuroanp.tasks import PatternGeneration
from support.copying import COPYING, RECIPE, training

DECORRELATED = RECIPE.replace(decorrelation=nap.Decorrelation(rate=0.05), updates=20)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A decorrelated run, as it comes back from its folder."""
    folder = tmp_path_factory.mktemp("use") / "run"
    nap.Trainer(COPYING, DECORRELATED, seed=1, engine="runtime", tests=0).run(progress=False).save(folder)
    return nap.load(folder)


@pytest.fixture(scope="module")
def spiking():
    recipe = nap.Recipe(model=ConductanceLIF(hidden=6), rule=NodePerturbation(hold=5), decorrelation=None)
    recipe = recipe.replace(lanes=2, updates=1)
    return nap.Trainer(PatternGeneration(), recipe, engine="runtime", tests=0).run(progress=False)


def test_it_answers_as_in_its_test(run):
    trial = run.task.evaluation(nap.training.seeds.Seeds(1).evaluation)
    outputs = run.predict(trial.inputs)
    assert outputs.shape == trial.targets.shape
    np.testing.assert_allclose(outputs[:, 0], run.example["outputs"], atol=1e-12)
    np.testing.assert_allclose(((outputs - trial.targets) ** 2 * trial.mask[..., None]).sum()
                               / trial.mask.sum() / 4, run.result["test_loss"], rtol=1e-9)  # fmt: skip


def test_cells_that_learned_with_noise_of_their_own_keep_it():
    recipe = nap.Recipe(
        model=LIF(hidden=6), rule=EscapeScore(escape=1.0), modulator=nap.Modulator(baseline=RunningMean()),
        decorrelation=None, lanes=1, updates=1,
    )  # fmt: skip
    run = nap.Trainer(PatternGeneration(), recipe, seed=1, engine="runtime", tests=0).run(progress=False)
    trial = run.task.evaluation(nap.training.seeds.Seeds(1).evaluation)
    np.testing.assert_array_equal(run.record(trial.inputs, "spikes")["spikes"][:, 0], run.example["spikes"])


def test_more_lanes_than_are_simulated_at_a_time(run):
    inputs = np.random.default_rng(0).random((4, 70, run.task.n_in))
    np.testing.assert_allclose(run.predict(inputs)[:, 66:], run.predict(inputs[:, 66:]), atol=1e-12)


def test_the_network_takes_decorrelating_matrices_among_the_weights(run):
    """Without a word, they were left out."""
    inputs = run.example["inputs"][:, None]
    network = nap.Network(
        run.recipe.model, COPYING.n_in, COPYING.n_out, COPYING.dt, lanes=1, engine="runtime"
    )
    network.load(run.weights)
    trial = nap.Trial(inputs, np.zeros((len(inputs), 1, COPYING.n_out)))
    np.testing.assert_allclose(network.run(trial).outputs[:, 0, 0], run.example["outputs"], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda w: {"W_in": w["W_in"]}, "expected weights W_in, W_rec, W_out, got W_in"),
        (lambda w: w | {"W": w["W_in"]}, "expected weights W_in, W_rec, W_out, got"),
        (lambda w: w | {"W_rec": w["W_rec"][:5]}, r"W_rec: expected shape \(20, 20\), got shape \(5, 20\)"),
        (lambda w: w | {"D_in": np.eye(3)}, r"D_in: expected shape \(5, 5\), got shape \(3, 3\)"),
        (lambda w: w | {"W_out": w["W_out"] * np.inf}, "W_out: expected finite numbers"),
        (lambda w: w | {"W_out": w["W_out"].astype(str)}, "W_out: expected finite numbers"),
    ],
)
def test_wrong_weights_are_refused(run, change, message):
    with pytest.raises(InvalidValue, match=f"^Network.load.*{message}"):
        run.network(engine="runtime").load(change(run.weights))


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        (np.zeros((4, 4)), r"inputs: expected shape \(any, any, 4\)"),
        (np.full((4, 1, 4), np.nan), "finite"),
        (np.zeros((0, 1, 4)), "at least one step"),
    ],
)
def test_wrong_inputs_are_refused(run, inputs, message):
    with pytest.raises(InvalidValue, match=message):
        run.predict(inputs)


def test_variables_have_units_and_time(spiking):
    inputs = np.random.default_rng(0).random((40, 3, spiking.task.n_in))
    recording = spiking.record(inputs, "spikes", "potential")
    assert recording["spikes"].shape == recording["potential"].shape == (40, 3, 6)
    assert recording["spikes"].dtype == bool
    assert recording.time[1] == spiking.task.dt
    assert recording.rates.shape == (3, 6) and recording.rates.dim == Hz.dim
    expected = spiking.network(engine="runtime").parts.hidden.v.dim
    assert getattr(recording["potential"], "dim", None) in (expected, None)
    np.testing.assert_array_equal(recording.outputs, spiking.predict(inputs))
    with pytest.raises(
        InvalidValue, match=r"Run\.record: expected spikes, trace or another of .*, got speed"
    ):
        spiking.record(inputs, "speed")


def test_tables(run, spiking):
    pytest.importorskip("pandas"), pytest.importorskip("xarray")
    frame, dataset = run.to_pandas(), run.to_xarray()
    np.testing.assert_array_equal(frame["loss"], run.history["loss"])
    np.testing.assert_array_equal(dataset["loss"], run.history["loss"])
    recording = spiking.record(np.ones((40, 3, spiking.task.n_in)), "spikes", "potential")
    frame, dataset = recording.to_pandas(), recording.to_xarray()
    np.testing.assert_array_equal(frame["potential", 2, 4], np.asarray(recording["potential"])[:, 2, 4])
    np.testing.assert_array_equal(dataset["spikes"].sel(lane=1), recording["spikes"][:, 1])
    assert dataset["time"].attrs["units"] == "s" and dataset["time"][1] == float(spiking.task.dt)


def test_spikes_for_neo(spiking):
    pytest.importorskip("neo")
    recording = spiking.record(np.full((60, 2, spiking.task.n_in), 3.0), "spikes")
    segment = recording.to_neo(lane=1)
    assert recording["spikes"][:, 1].any()
    for cell, train in enumerate(segment.spiketrains):
        steps = np.rint(train.times.rescale("s").magnitude / float(spiking.task.dt)).astype(int)
        np.testing.assert_array_equal(steps, np.flatnonzero(recording["spikes"][:, 1, cell]))


def test_plots_are_drawn_on_axes_that_are_given(run, spiking):
    from matplotlib.figure import Figure

    axes = Figure().subplots(3)
    recording = spiking.record(np.full((60, 2, spiking.task.n_in), 3.0), "spikes")
    assert run.plot_loss(axes[0]) is axes[0] and recording.plot_output(axes=axes[1]) is axes[1]
    assert recording.plot_raster(axes=axes[2]) is axes[2]
    assert len(axes[2].collections[0].get_offsets()) == recording["spikes"][:, 0].sum() > 0
    np.testing.assert_array_equal(axes[1].lines[0].get_ydata(), recording.outputs[:, 0, 0])


@pytest.mark.parametrize("decorrelation", [nap.Decorrelation(rate=0.0), None], ids=["decorrelated", "folded"])
def test_another_training_goes_on_from_the_weights(run, decorrelation):
    changes = {
        "rule": WeightPerturbation(),
        "decorrelation": decorrelation,
        "optimizer": SGD(lr=0.0),
        "updates": 1,
    }
    again = nap.train(start=run, engine="runtime", progress=False, seed=1, **changes)
    assert again.recipe.model == run.recipe.model
    assert again.result["test_loss"] == pytest.approx(run.result["test_loss"], rel=1e-9)
    assert ("D_in" in again.weights) == (decorrelation is not None)


def test_a_run_that_began_elsewhere_goes_on_and_is_not_repeated_from_its_settings(run, tmp_path):
    whole, cut = (
        nap.Trainer(COPYING, DECORRELATED.replace(updates=3), start=run, engine="runtime", tests=0)
        for _ in range(2)
    )
    cut.step()
    cut.save(tmp_path / "run")
    resumed, expected = nap.resume(tmp_path / "run", progress=False), whole.run(progress=False)
    np.testing.assert_array_equal(resumed.weights["W_rec"], expected.weights["W_rec"])
    with pytest.raises(DataError, match="start was a Run, which can't be stored in it"):
        document.restore(nap.load(tmp_path / "run").config)


def test_a_start_of_another_model_is_refused(run):
    with pytest.raises(InvalidValue, match=r"Trainer\.start: expected a run of lif, got a run of tanh"):
        nap.train(LIF(), start=run, decorrelation=None, engine="runtime")
    with pytest.raises(InvalidValue, match=r"Network\.load: W_in: expected shape \(9, 5\)"):
        nap.train(TanhRNN(hidden=9), start=run, engine="runtime")


def test_a_task_that_its_folder_cannot_hold(run, tmp_path):
    class Own(type(COPYING)):
        name = "own"

    task = Own(alphabet=4, length=2, delay=1, evaluation_trials=4)
    nap.Trainer(task, RECIPE.replace(updates=1), engine="runtime", tests=0).run(False).save(tmp_path / "run")
    stored = nap.load(tmp_path / "run")
    with pytest.raises(DataError, match="neither offered by an installed package nor imported"):
        stored.task  # noqa: B018
    assert stored.predict(np.zeros((3, 1, task.n_in))).shape == (3, 1, task.n_out)


def test_trainings_in_several_threads_have_their_own_bits():
    expected = [training(seed=seed, updates=4, engine="compiled").run(False) for seed in range(3)]
    runs = [None] * 3

    def train(seed):
        runs[seed] = training(seed=seed, updates=4, engine="compiled").run(False)

    threads = [threading.Thread(target=train, args=(seed,)) for seed in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for run, other in zip(runs, expected, strict=True):
        np.testing.assert_array_equal(run.weights["W_rec"], other.weights["W_rec"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
def test_a_network_refuses_to_run_in_a_fork():
    trainer = training(engine="runtime")
    read, write = os.pipe()
    if (child := os.fork()) == 0:
        try:
            trainer.step()
            os.write(write, b"it ran")
        except InvalidValue as error:
            os.write(write, str(error).encode())
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    said = os.read(read, 1000).decode()
    assert said.startswith("Network.run: expected the process that built the network"), said
