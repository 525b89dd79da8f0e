"""Boards to train: a network on an analog device, the same behind a socket, and a black box of NumPy."""

import base64
import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import numpy as np

from neuroanp.errors import TrialFailed
from neuroanp.hardware import Perturbed
from neuroanp.network.network import Network

SERVER = Path(__file__).with_name("board_server.py")


class AnalogBoard:
    """Network on a substrate, that perturbs its nodes as it is asked to."""

    def __init__(self, model, task, substrate, *, lanes, perturbation=None, engine="runtime"):
        self.network = Network(
            substrate.deployed(model, task.n_in, task.n_out, task.dt), task.n_in, task.n_out, task.dt,
            lanes=lanes, passes=("plus",), perturbation=perturbation, seed=5, engine=engine,
        )  # fmt: skip

    def write_weights(self, weights):
        self.network.load(dict(weights))

    def run_trial(self, trial):
        if not self.network.weights:
            raise TrialFailed("no weights on this board")
        lanes = np.arange(self.network.lanes) % trial.lanes
        return self.network.run(trial.lane(lanes), sigma=0.0).outputs[:, 0, : trial.lanes].copy()

    def perturb(self, trial, perturbation, seed, sign):
        if not self.network.weights:
            raise TrialFailed("no weights on this board")
        assert perturbation == self.network.perturbation
        record = self.network.run(trial, seed, sigma=sign * perturbation.sigma)
        return Perturbed(
            outcome=record.outputs[:, 0].copy(), noise=sign * record.noise, trace=record.trace[1:].copy(),
            readout_noise=sign * record.noise_out,
        )  # fmt: skip


class SocketBoard:
    """Board in another process: one life of it after the other, each with its own faults.

    Parameters
    ----------
    faults : list of dicts
        For each life ``closes``, ``silent`` and ``dies``: numbers of the trials in it at which the board
        closes the connection, doesn't answer, or ends.
    """

    def __init__(self, settings, faults, timeout=2.0):
        self.settings, self.faults, self.timeout = settings, faults, timeout
        self.lives, self.process, self.link = 0, None, None
        self.restart()

    def restart(self):
        """Connect again, with a new process where the last one ended."""
        self._disconnect()
        if self.process is None or self._ended():
            self._start()
        self.link = socket.create_connection(("127.0.0.1", self.port), timeout=self.timeout)
        self.lines = self.link.makefile("rb")

    def _ended(self):
        """True if the process has ended, or does so presently."""
        try:
            self.process.wait(timeout=0.3)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _start(self):
        self._end()
        words = [sys.executable, str(SERVER), json.dumps(self.settings | self.faults[self.lives])]
        path = os.pathsep.join([str(SERVER.parents[1]), *filter(None, sys.path)])
        environment = os.environ | {"PYTHONPATH": path}
        self.process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment)
        self.port = int(self.process.stdout.readline())
        self.lives += 1

    def _disconnect(self):
        if self.link is not None:
            self.lines.close()
            self.link.close()

    def _end(self):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process.stdout.close()

    def close(self):
        self._disconnect()
        self._end()

    def _ask(self, **question):
        self.link.sendall(json.dumps(question).encode() + b"\n")
        line = self.lines.readline()
        if not line.endswith(b"\n"):
            raise ConnectionResetError("the board closed the connection")
        answer = json.loads(line)
        if "failed" in answer:
            raise TrialFailed(answer["failed"])
        return {name: unpacked(value) for name, value in answer.items()}

    def write_weights(self, weights):
        self._ask(ask="write", weights={name: packed(w) for name, w in weights.items()})

    def run_trial(self, trial):
        return self._ask(ask="run", inputs=packed(trial.inputs))["outcome"]

    def perturb(self, trial, perturbation, seed, sign):
        return Perturbed(**self._ask(ask="perturb", inputs=packed(trial.inputs), seed=seed, sign=sign))


def packed(array):
    values = np.ascontiguousarray(array, dtype="<f8")
    return {"shape": values.shape, "bytes": base64.b64encode(values.tobytes()).decode()}


def unpacked(value):
    return np.frombuffer(base64.b64decode(value["bytes"]), "<f8").reshape(value["shape"])


class BlackBox:
    """Loss of a vector of weights; some runs fail, some take the weights with them, some give no number."""

    def __init__(self, goal, fails=(), forgets=(), spoils=()):
        self.goal, self.fails, self.forgets, self.spoils = goal, fails, forgets, spoils
        self.weights, self.runs, self.writes = None, 0, 0

    def write_weights(self, weights):
        self.weights, self.writes = {name: w.copy() for name, w in weights.items()}, self.writes + 1

    def run_trial(self, trial):
        self.runs += 1
        if self.runs in self.forgets:
            self.weights = None
            raise ConnectionResetError("the board restarts")
        if self.runs in self.fails:
            raise TimeoutError("no answer")
        if self.weights is None:
            raise TrialFailed("no weights")
        if self.runs in self.spoils:
            return float("nan")
        return float(((self.weights["w"] - self.goal) ** 2).mean())
