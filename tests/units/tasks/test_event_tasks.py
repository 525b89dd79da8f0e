"""Recordings of events in the field's formats: binning, pooling, damaged files, checksums, learning."""

import dataclasses
import hashlib
import sys
import tracemalloc
from fractions import Fraction
from pathlib import Path

import h5py
import numpy as np
import pytest
from brian2 import ms

from neuroanp import train
from neuroanp.errors import DataError, InvalidValue, MissingExtra
from neuroanp.tasks import NeuromorphicMNIST, SpokenDigits, neuromorphic_mnist, spoken_digits
from neuroanp.training.task import loss
from support.event_files import camera, camera_folder, seen, spoken, spoken_folder, write_hdf5

SHORT = {"dataset": "own", "duration": 100 * ms, "pool": 70}


@pytest.fixture(scope="module")
def spoken_data(tmp_path_factory) -> str:
    return str(spoken_folder(tmp_path_factory.mktemp("spoken")))


@pytest.fixture(scope="module")
def camera_data(tmp_path_factory) -> str:
    return str(camera_folder(tmp_path_factory.mktemp("camera")))


def slowly(times, sources, steps: int, inputs: int) -> np.ndarray:
    """Number of events in each step of 1 ms, one event after the other."""
    counts = np.zeros((steps, inputs))
    for time, source in zip(times, sources, strict=True):
        step = int(1000 * time)
        if step < steps:
            counts[step, source] += 1
    return counts


@pytest.mark.parametrize("counts", [True, False])
@pytest.mark.parametrize("pool", [1, 9, 70])
def test_spoken_events_fall_into_their_step_and_input(tmp_path, rng, pool: int, counts: bool) -> None:
    """In whatever order they are in the file, and up to the duration."""
    recordings = [(rng.uniform(0, 0.06, 400), rng.integers(700, size=400)) for _ in range(6)]
    recordings[2] = (np.zeros(0), np.zeros(0, int))
    write_hdf5(tmp_path / "own_train.h5", recordings, np.arange(6))
    write_hdf5(tmp_path / "own_test.h5", recordings, np.arange(6))
    task = SpokenDigits(data=str(tmp_path), dataset="own", duration=50 * ms, pool=pool, counts=counts)
    trial = task.evaluation(rng)
    assert trial.inputs.shape == (70, 6, task.n_in) and task.n_in == -(-700 // pool) + 1
    for lane, label in enumerate(trial.targets[-1].argmax(axis=1)):
        times, units = recordings[label]
        expected = slowly(map(Fraction, times.astype(np.float16).tolist()), units // pool, 50, task.n_in - 1)
        shown = expected if counts else np.minimum(expected, 1)
        np.testing.assert_array_equal(trial.inputs[:50, lane, :-1], shown)
    assert not trial.inputs[50:, :, :-1].any()
    np.testing.assert_array_equal(trial.inputs[:, :, -1], trial.mask)
    np.testing.assert_array_equal(np.asarray(trial.mask)[:, 0], np.repeat([0, 1], [50, 20]))
    np.testing.assert_array_equal(trial.targets.sum(axis=2), trial.mask)


@pytest.mark.parametrize("packed", [False, True])
def test_events_of_the_camera_fall_into_their_step_and_input(tmp_path, rng, packed: bool) -> None:
    """Darker in the first half of the inputs, brighter in the second, pixels row by row, times to the µs."""
    camera_folder(tmp_path, packed=packed, sizes=(10, 10))
    task = NeuromorphicMNIST(data=str(tmp_path), duration=30 * ms, pool=5, counts=True, verify=False)
    trial = task.evaluation(rng)
    assert trial.inputs.shape == (50, 10, 2 * 7 * 7 + 1)
    drawn = np.random.default_rng(5)
    files = [seen(drawn, n % 10) for n in range(20)][10:]
    for lane, label in enumerate(trial.targets[-1].argmax(axis=1)):
        words = [int.from_bytes(files[label][k : k + 5], "big") for k in range(0, len(files[label]), 5)]
        times = [Fraction(word & (2**23 - 1), 10**6) for word in words]
        places = [(word >> 23 & 1, (word >> 24 & 255) // 5, (word >> 32) // 5) for word in words]
        sources = [polarity * 49 + row * 7 + column for polarity, row, column in places]
        np.testing.assert_array_equal(trial.inputs[:30, lane, :-1], slowly(times, sources, 30, 98))


def test_an_event_at_the_edge_of_a_step_belongs_to_the_step_that_begins(tmp_path, rng) -> None:
    camera_folder(tmp_path)
    times = np.arange(300) * 1000
    pixels = np.zeros(300, int)
    for file in (tmp_path / "Test").glob("*/*.bin"):
        file.write_bytes(camera(pixels, pixels, pixels, times))
    task = NeuromorphicMNIST(data=str(tmp_path), counts=True)
    np.testing.assert_array_equal(task.evaluation(rng).inputs[:300, :, 0], 1)


def test_a_mark_of_overflow_is_no_event_and_moves_those_after_it_on(tmp_path, rng) -> None:
    camera_folder(tmp_path)
    content = camera(np.zeros(3, int), np.array([0, 240, 0]), np.zeros(3, int), np.array([5000, 8191, 700]))
    for file in (tmp_path / "Test").glob("*/*.bin"):
        file.write_bytes(content)
    inputs = NeuromorphicMNIST(data=str(tmp_path)).evaluation(rng).inputs[:300, 0, :-1]
    np.testing.assert_array_equal(np.argwhere(inputs), [[5, 0], [8, 0]])


@pytest.mark.parametrize("kind", ["spoken", "camera"])
def test_the_test_part_is_held_out(kind, spoken_data, camera_data, rng) -> None:
    if kind == "spoken":
        task = SpokenDigits(data=spoken_data, **SHORT, evaluation_trials=30)
        classes, known = 4, 80
    else:
        task = NeuromorphicMNIST(data=camera_data, duration=40 * ms, evaluation_trials=15)
        classes, known = 10, 40
    assert task.n_out == classes
    shown = {lane.tobytes() for lane in task.trial(rng, 15 * known).inputs.swapaxes(0, 1)}
    held_out = {lane.tobytes() for lane in task.evaluation(rng).inputs.swapaxes(0, 1)}
    assert len(shown) == known and len(held_out) == task.evaluation_trials and not shown & held_out


def test_trivial_levels_are_on_the_evaluation_data(spoken_data, rng) -> None:
    task = SpokenDigits(data=spoken_data, **SHORT, counts=True)
    levels, trial = task.trivial(), task.evaluation(rng)
    assert levels["mean of the classes"] == pytest.approx(loss(np.full(4, 0.25), trial))
    train_part, test_part = ([*part.events(np.arange(len(part)))] for part in task.recordings)
    counts = [np.bincount(units // 70, minlength=10) for _, units in train_part]
    fitted = np.linalg.lstsq(np.insert(counts, 0, 1, axis=1), np.eye(4)[np.arange(80) % 4], rcond=None)[0]
    counts = [np.bincount(units // 70, minlength=10) for _, units in test_part]
    guess = np.insert(counts, 0, 1, axis=1) @ fitted
    error = ((guess - np.eye(4)[np.arange(40) % 4]) ** 2).mean()
    assert levels["linear on the spike counts"] == pytest.approx(error)
    scores = task.trivial_scores()
    assert scores["chance"] == 0.25 and scores["logistic regression on the spike counts"] > 0.95


def test_recordings_are_read_when_they_are_asked_for(tmp_path, rng) -> None:
    """Memory for a trial, not for the file, which is 3 MB."""
    labels = np.arange(200) % 20
    for part in ("train", "test"):
        recordings = (spoken(rng, label, 20, events=4000) for label in labels)
        write_hdf5(tmp_path / f"own_{part}.h5", recordings, labels)
    task = SpokenDigits(data=str(tmp_path), **SHORT)
    task.trial(rng, 1)
    tracemalloc.start()
    task.trial(rng, 8)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (tmp_path / "own_train.h5").stat().st_size > 3e6 > 3 * peak


def test_cells_learn_the_class_of_a_recording(spoken_data) -> None:
    task = SpokenDigits(data=spoken_data, **SHORT)
    recipe = task.recipe("best")
    result = train(
        recipe.model.replace(hidden=50), task, lanes=16, updates=40, tests=0, progress=False
    ).result
    assert result["score"] > 0.9


@pytest.mark.parametrize("task", [SpokenDigits, NeuromorphicMNIST])
@pytest.mark.parametrize("data", [None, "nowhere"])
def test_without_the_files_the_error_says_where_they_are_from(task, data) -> None:
    said = rf"^{task.__name__}\.data: expected a folder with .*, got {data!r}\. They aren't downloaded: get "
    for use in (lambda made: made.recordings, lambda made: made.trial(np.random.default_rng(0), 2)):
        with pytest.raises(DataError, match=said + r".*https://.*--data PATH"):
            use(task(data=data))


def test_a_published_name_needs_the_published_content(tmp_path, rng, monkeypatch) -> None:
    data = str(spoken_folder(tmp_path, name="shd"))
    with pytest.raises(DataError, match=r"shd_train\.h5: expected the published file, whose MD5 sum is 8e98"):
        SpokenDigits(data=data).trial(rng, 2)
    assert SpokenDigits(data=data, verify=False).trial(rng, 2).lanes == 2
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    monkeypatch.setattr(spoken_digits, "PUBLISHED", sums)
    assert SpokenDigits(data=data).n_out == 4
    camera_folder(tmp_path, packed=True)
    with pytest.raises(DataError, match=r"Train\.zip: expected the published file, whose MD5 sum is 2095"):
        NeuromorphicMNIST(data=data).trial(rng, 2)
    sums = {path.name: hashlib.md5(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()}
    monkeypatch.setattr(neuromorphic_mnist, "PUBLISHED", sums)
    assert NeuromorphicMNIST(data=data).trial(rng, 2).lanes == 2


def _plain_times(file: h5py.File) -> None:
    del file["spikes/times"]
    file["spikes/times"] = np.zeros((80, 3))


def _set(name: str, value: np.ndarray):
    def change(file: h5py.File) -> None:
        del file[name]
        file[name] = value

    return change


def _row(name: str, value: list[float]):
    def change(file: h5py.File) -> None:
        file[name][7] = np.array(value, file[name].dtype.metadata["vlen"])

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda file: file.__delitem__("spikes/units"), "expected an array spikes/units, got none"),
        (lambda file: file.__delitem__("spikes"), "expected an array spikes/times, got none"),
        (_plain_times, "expected spikes/times to hold an array of numbers for each recording"),
        (_set("labels", np.zeros(7, int)), r"expected a label for each recording, got \(7,\), .*\(80,\)"),
        (_set("labels", np.zeros((80, 2), int)), r"expected a label for each recording, got \(80, 2\)"),
        (_set("labels", np.full(80, -1)), "expected labels to be whole numbers from 0, below 1000"),
        (_set("labels", np.full(80, 10**9)), "expected labels to be whole numbers from 0, below 1000"),
        (_set("labels", np.full(80, b"one")), "expected labels to be whole numbers"),
        (_row("spikes/units", [700.0] * 150), "recording 7: expected channels from 0 to 699, got 700"),
        (_row("spikes/units", [1.0]), r"recording 7: expected a time and a channel an event, got \(150,\)"),
        (_row("spikes/times", [-0.5] * 150), r"recording 7: expected times of 0 s or more, got -0\.5"),
        (_row("spikes/times", [np.inf] * 150), "recording 7: expected times of 0 s or more, got inf"),
    ],
)
def test_a_damaged_hdf5_file_is_named(tmp_path, rng, change, said) -> None:
    spoken_folder(tmp_path)
    with h5py.File(tmp_path / "own_train.h5", "a") as file:
        change(file)
    with pytest.raises(DataError, match=rf"own_train\.h5: {said}"):
        SpokenDigits(data=str(tmp_path), **SHORT).trial(rng, 500)


@pytest.mark.parametrize("size", [0, 100, 5000, -1])
def test_a_truncated_hdf5_file_is_named(tmp_path, rng, size: int) -> None:
    path = spoken_folder(tmp_path) / "own_train.h5"
    path.write_bytes(path.read_bytes()[:size])
    with pytest.raises(DataError, match=r"own_train\.h5: cannot be read as HDF5"):
        SpokenDigits(data=str(tmp_path), **SHORT).trial(rng, 500)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (bytes(9), "expected 5 bytes an event, got 9 bytes"),
        (bytes([34, 0, 0, 0, 0]), "expected x from 0 to 33, got 34"),
        (bytes([0, 239, 0, 0, 0]), "expected y from 0 to 33, got 239"),
    ],
)
def test_a_damaged_file_of_the_camera_is_named(tmp_path, rng, content: bytes, said: str) -> None:
    (camera_folder(tmp_path) / "Train" / "3" / "00003.bin").write_bytes(content)
    with pytest.raises(DataError, match=rf"00003\.bin: {said}"):
        NeuromorphicMNIST(data=str(tmp_path)).trial(rng, 500)


def test_an_incomplete_folder_or_archive_is_named(tmp_path, rng) -> None:
    task = NeuromorphicMNIST(data=str(camera_folder(tmp_path)), verify=False)
    for file in (tmp_path / "Train" / "4").iterdir():
        file.rename(file.with_name(f"._{file.name}"))
    with pytest.raises(DataError, match=r"Train: expected files \*\.bin in folders 0 to 9, got none in 4$"):
        task.trial(rng, 2)
    other = tmp_path / "packed"
    other.mkdir()
    task = dataclasses.replace(task, data=str(camera_folder(other, packed=True)))
    whole = (other / "Train.zip").read_bytes()
    (other / "Train.zip").write_bytes(whole[:-200])
    with pytest.raises(DataError, match=r"Train\.zip: cannot be read as an archive"):
        task.trial(rng, 2)
    (other / "Train.zip").write_bytes(whole[:60] + bytes(100) + whole[160:])
    with pytest.raises(DataError, match=r"Train\.zip/Train/0/00000\.bin: cannot be read"):
        task.trial(rng, 500)


def test_hdf5_needs_its_extra(spoken_data, monkeypatch) -> None:
    spoken_digits._opened.cache_clear()
    monkeypatch.setitem(sys.modules, "h5py", None)
    with pytest.raises(MissingExtra, match=r"h5py is not installed: pip install 'neuroanp\[events\]'"):
        SpokenDigits(data=spoken_data, **SHORT).recordings  # noqa: B018


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: SpokenDigits(duration=0.2 * ms), r"^SpokenDigits\.duration: expected at least one step"),
        (lambda: SpokenDigits(pool=701), r"^SpokenDigits\.pool: expected a whole number from 1 to 700"),
        (lambda: NeuromorphicMNIST(pool=35), r"^NeuromorphicMNIST\.pool: expected a whole number from 1 to"),
        (lambda: NeuromorphicMNIST(decision=0 * ms), r"^NeuromorphicMNIST\.decision: expected a number"),
    ],
)
def test_bad_fields(make, said) -> None:
    with pytest.raises(InvalidValue, match=said):
        make()


def test_files_are_found_under_the_home_folder(tmp_path: Path, rng, monkeypatch) -> None:
    spoken_folder(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    assert SpokenDigits(data=f"~/{tmp_path.name}", **SHORT).n_out == 4
