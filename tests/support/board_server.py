"""A board behind a socket of this machine: ``python board_server.py SETTINGS``; prints its port."""

import json
import os
import socket
import sys
import time

import numpy as np

from neuroanp.config.document import restore
from neuroanp.errors import TrialFailed
from neuroanp.network.trial import Trial
from support.boards import AnalogBoard, packed, unpacked


class Server:
    def __init__(self, board, task, settings):
        self.board, self.task, self.settings = board, task, settings
        self.trials = 0

    def serve(self):
        listening = socket.create_server(("127.0.0.1", 0))
        print(listening.getsockname()[1], flush=True)
        while True:
            link, _ = listening.accept()
            with link, link.makefile("rb") as lines:
                for line in lines:
                    answer = self.answer(json.loads(line))
                    if answer is None:
                        break
                    if answer:
                        link.sendall(json.dumps(answer).encode() + b"\n")

    def answer(self, question):
        """Answer to a question; empty for silence, None to close the connection."""
        if question["ask"] == "write":
            self.board.write_weights({name: unpacked(w) for name, w in question["weights"].items()})
            return {"written": packed(np.zeros(0))}
        time.sleep(self.settings["seconds"])
        self.trials += 1
        if self.trials in self.settings.get("dies", ()):
            os._exit(1)
        if self.trials in self.settings.get("closes", ()):
            return None
        if self.trials in self.settings.get("silent", ()):
            return {}
        inputs = unpacked(question["inputs"])
        trial = Trial(inputs, np.zeros((*inputs.shape[:2], self.task.n_out)))
        try:
            if question["ask"] == "run":
                return {"outcome": packed(self.board.run_trial(trial))}
            perturbation = self.board.network.perturbation
            found = self.board.perturb(trial, perturbation, question["seed"], question["sign"])
        except TrialFailed as error:
            return {"failed": str(error)}
        return {name: packed(values) for name, values in vars(found).items()}


if __name__ == "__main__":
    settings = json.loads(sys.argv[1])
    parts = restore(settings["parts"])
    board = AnalogBoard(**parts, lanes=settings["lanes"])
    Server(board, parts["task"], settings).serve()
