"""Sweeps in real processes: killed, stopped, on a Dask cluster; the numbers stay the same. Five minutes."""

import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time

import psutil
import pytest

import neuroanp as nap
from neuroanp.errors import DataError
from neuroanp.training import checkpoint
from support.processes import environment

pytestmark = pytest.mark.slow

SWEEP = """
import sys
import neuroanp as nap
from neuroanp.models import TanhRNN
from neuroanp.tasks import CopyingMemory

sweep = nap.sweep(
    CopyingMemory(alphabet=4, length=2, delay=1),
    {"rule.sigma": [0.003, 0.01, 0.03, 0.1], "optimizer.lr": [0.001, 0.003, 0.01, 0.03]},
    seeds=range(int(sys.argv[2])), workers=int(sys.argv[3]), executor=(sys.argv[4:] or [None])[0],
    out=sys.argv[1], updates=500, lanes=16, model=TanhRNN(hidden=20), report_seeds=[100], progress=False,
    checkpoints=nap.Checkpoints(updates=100),
)
"""


def began(*words, script=SWEEP, **variables):
    return subprocess.Popen([sys.executable, "-c", script, *map(str, words)], env=environment(**variables))


def found(path):
    """All that a sweep found, but for its times and places."""
    return [
        (point.number, point.state, point.value, outcome.seed, outcome.state, outcome.result["test_loss"],
         outcome.result["train_loss"], outcome.result["updates"])
        for point, outcome, _ in nap.Sweep(path).outcomes
    ]  # fmt: skip


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    """Files of the sweep with four seeds and with one, by one worker each, in a cache of their own."""
    place = tmp_path_factory.mktemp("undisturbed")
    for seeds in (4, 1):
        assert began(place / f"{seeds}.db", seeds, 1, NEUROANP_CACHE=str(place / "cache")).wait() == 0
    return place


def test_one_compile_and_no_growth(undisturbed):
    result = nap.Sweep(undisturbed / "4.db")
    assert len(result.outcomes) == 65
    workers = {outcome.worker["pid"] for _, outcome, _ in result.outcomes}
    assert len(workers) == 1
    peaks = [outcome.worker["peak_memory"] for _, outcome, _ in result.outcomes]
    assert peaks[-1] <= 1.05 * peaks[0]
    sources = [path.read_text() for path in (undisturbed / "cache").rglob("network.cpp")]
    assert sum(len(source) > 10_000 for source in sources) == 1  # the other tries the compiler


def test_killed_at_twenty_moments(undisturbed, tmp_path):
    path, chance, kills = tmp_path / "killed.db", random.Random(1), 0
    process = began(path, 4, 2)
    while True:
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert process.wait(chance.uniform(2, 7) if kills < 20 else None) == 0
            if kills == 20:
                break
            path.unlink()  # done before its time: once more from the start
            shutil.rmtree(f"{path}.runs")
            process = began(path, 4, 2)
            continue
        workers = psutil.Process(process.pid).children(recursive=True)
        kind = ("parent", "workers", "all", "one")[kills % 4]
        victims = {"parent": [], "one": workers[-1:]}.get(kind, workers)
        if kind in ("parent", "all"):
            process.kill()
        for victim in victims:
            with contextlib.suppress(psutil.NoSuchProcess):
                victim.kill()
        kills += 1
        if kind in ("parent", "all"):
            process.wait()
            process = began(path, 4, 2)
    assert found(path) == found(undisturbed / "4.db")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stopped_it_goes_on_from_checkpoints(undisturbed, tmp_path, number):
    words = [
        *(sys.executable, "-m", "neuroanp", "sweep", "copying-memory", "--vary", "rule.sigma=0.003,0.01"),
        *("--seeds=2", "--workers=2", "--updates=1500", "--lanes=16", "--model.hidden=20", "--quiet"),
        *("--json", "--checkpoint_updates=100", "--out"),
    ]  # fmt: skip
    process = subprocess.Popen(
        [*words, str(tmp_path / "a.db")], env=environment(), start_new_session=True, stderr=subprocess.PIPE
    )
    _wait_for(lambda: list(tmp_path.glob("a.db.runs/*/checkpoint.npz")))
    os.killpg(process.pid, number)  # as a terminal and a cluster do: to all of them
    said = process.communicate()[1].decode()
    assert process.returncode == 128 + number, said
    assert f"--out {tmp_path / 'a.db'}" in said and said.count("\n") == 2
    left = [checkpoint.read(path, "update") for path in tmp_path.glob("a.db.runs/*/checkpoint.npz")]
    assert left and all(0 < int(arrays["update"]) < 1500 for arrays in left)
    for name in ("a.db", "b.db"):
        subprocess.run([*words, str(tmp_path / name)], env=environment(), check=True, stdout=subprocess.PIPE)
    assert found(tmp_path / "a.db") == found(tmp_path / "b.db")


def test_a_dask_cluster_one_of_whose_workers_is_killed(undisturbed, tmp_path):
    with contextlib.ExitStack() as stack:

        def run(module, *words):
            command = [sys.executable, "-m", f"distributed.cli.{module}", *words, "--no-dashboard"]
            process = subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL)
            stack.callback(process.kill)
            return process

        file = tmp_path / "scheduler.json"
        run("dask_scheduler", "--host=127.0.0.1", "--port=0", f"--scheduler-file={file}")
        _wait_for(lambda: file.exists() and file.read_text().endswith("}"))
        address = json.loads(file.read_text())["address"]
        assert address.startswith("tcp://")
        workers = [run("dask_worker", address, "--nthreads=1", "--no-nanny") for _ in range(2)]
        process = began(tmp_path / "dask.db", 4, 1, address)
        _wait_for(lambda: _done(tmp_path / "dask.db") >= 6)
        workers[0].kill()
        assert process.wait(300) == 0
    outcomes = [outcome for _, outcome, _ in nap.Sweep(tmp_path / "dask.db").outcomes]
    assert {outcome.worker["pid"] for outcome in outcomes} == {worker.pid for worker in workers}
    assert found(tmp_path / "dask.db") == found(undisturbed / "4.db")


def _done(path):
    try:
        return len(nap.Sweep(path).outcomes)
    except DataError:  # not begun
        return 0


OWN = """
import sys
import numpy as np
import neuroanp as nap
from neuroanp.models import TanhRNN
from neuroanp.tasks import CopyingMemory


class SignPerturbation(nap.rules.NodeRule):
    def post(self, layer, record, modulator):
        return nap.rules.times(modulator / self.sigma, np.sign(layer.noise))


class Backwards(CopyingMemory):
    def trial(self, rng, lanes, index=0):
        return super().trial(rng, lanes, index)


sweep = nap.sweep(
    Backwards(alphabet=4, length=2, delay=1), {"rule.sigma": [0.01, 0.03], "model.hidden": "10,20"},
    seeds=[1], rule=SignPerturbation(), model=TanhRNN(), updates=40, workers=2, out=sys.argv[1],
    progress=False,
)
assert {point.state for point in sweep.points} == {"finished"}, sweep
print(len({outcome.result["test_loss"] for _, outcome, _ in sweep.outcomes}))
"""


def test_classes_of_a_script_work_in_worker_processes(tmp_path):
    command = [sys.executable, "-c", OWN, str(tmp_path / "own.db")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "4\n"), done.stderr


def test_two_workers_find_what_one_does(undisturbed, tmp_path):
    assert began(tmp_path / "two.db", 1, 2).wait() == 0
    assert found(tmp_path / "two.db") == found(undisturbed / "1.db")
    assert len({outcome.worker["pid"] for _, outcome, _ in nap.Sweep(tmp_path / "two.db").outcomes}) == 2


def _wait_for(condition, seconds=120):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)
