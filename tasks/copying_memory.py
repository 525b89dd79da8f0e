"""Copying memory: repeat a sequence of symbols after a delay."""

from __future__ import annotations

import numpy as np

from neuroanp.config.option import SEEDS, option
from neuroanp.models import TanhRNN
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.rules import NodePerturbation
from neuroanp.training.recipe import Recipe
from neuroanp.training.task import Task, loss
from neuroanp.types import Array

ARJOVSKY = """@inproceedings{arjovsky2016unitary,
  author = {Arjovsky, Martin and Shah, Amar and Bengio, Yoshua},
  title = {Unitary evolution recurrent neural networks},
  booktitle = {International Conference on Machine Learning},
  year = {2016},
  eprint = {1511.06464},
  archivePrefix = {arXiv}
}"""


class CopyingMemory(Task):
    """Recall of `length` symbols in order, after `delay` blanks.

    The alphabet is ``alphabet - 2`` symbols, a blank and a go cue, each one channel of input and of
    output. ``length`` steps show a symbol each, ``delay`` steps a blank, ``length`` steps the go cue; the
    target is blank until the cue and the symbols from there. All ``2 * length + delay`` steps count.

    Each lane has another sequence, drawn afresh. There are ``(alphabet - 2) ** length`` sequences,
    so at the shortest settings the fresh sequences of the evaluation have come up in training too.
    With ``fresh=False`` there is one sequence in training and evaluation alike, as in the code
    published with arXiv 2405.08967: the network can learn it by heart.

    References
    ----------
    Arjovsky, Shah, Bengio. Unitary evolution recurrent neural networks. ICML 2016.
    """

    name = "copying-memory"
    sources = (ARJOVSKY,)
    score_name = "fraction of symbols right"

    alphabet: int = option(6, "channels: the symbols, a blank and a go cue", least=4)
    length: int = option(5, "symbols in a sequence", least=1)
    delay: int = option(5, "steps between sequence and go cue", least=0)
    fresh: bool = option(True, "draw a new sequence for each lane and trial, instead of one for ever")
    sequence_seed: int = option(0, "seed of the one sequence when not fresh", least=0, most=SEEDS)
    evaluation_trials: int = option(1000, "fresh sequences to judge on", least=1)

    @property
    def symbols(self) -> int:
        """Number of symbols in the alphabet, without blank and go cue."""
        return self.alphabet - 2

    @property
    def n_in(self) -> int:
        return self.alphabet

    @property
    def n_out(self) -> int:
        return self.alphabet

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Sequences for `lanes` lanes: inputs and targets (2 * length + delay, lanes, alphabet)."""
        if self.fresh:
            return self._present(rng.integers(self.symbols, size=(self.length, lanes)))
        fixed = np.random.default_rng(self.sequence_seed).integers(self.symbols, size=(self.length, 1))
        return self._present(np.repeat(fixed, lanes, axis=1))

    def _present(self, sequence: Array) -> Trial:
        """Trial that asks for `sequence` (length, lanes)."""
        blank, go = self.symbols, self.symbols + 1
        lanes = sequence.shape[1]
        waiting = np.full((self.delay, lanes), blank)
        inputs = np.concatenate([sequence, waiting, np.full_like(sequence, go)])
        targets = np.concatenate([np.full_like(sequence, blank), waiting, sequence])
        one_hot = np.eye(self.alphabet)
        return Trial(one_hot[inputs], one_hot[targets])

    def evaluation(self, rng: np.random.Generator) -> Trial:
        """Fresh sequences, `evaluation_trials` lanes of them; the one sequence when not fresh."""
        return self.trial(rng, self.evaluation_trials if self.fresh else 1)

    def score(self, outputs: Array, trial: Trial) -> float:
        """Fraction of recalled symbols whose channel has the largest output of all channels."""
        recalled = outputs[-self.length :].argmax(axis=2)
        return float((recalled == trial.targets[-self.length :].argmax(axis=2)).mean())

    def _without_memory(self) -> Array:
        """Probability (alphabet,) of each channel in the recall period, without memory of the sequence."""
        if self.fresh:
            return np.repeat([1 / self.symbols, 0], [self.symbols, 2])
        only = self.trial(np.random.default_rng(0), 1)
        return only.targets[-self.length :].mean(axis=(0, 1))

    def trivial(self) -> dict[str, float]:
        """Levels of zero output and of the best function of the present input.

        Both err equally on every sequence, so they hold for any set of evaluation trials.
        """
        trial = self.evaluation(np.random.default_rng(0))
        memoryless = trial.targets.copy()
        memoryless[-self.length :] = self._without_memory()
        return {"zero": loss(np.zeros_like(trial.targets), trial), "memoryless": loss(memoryless, trial)}

    def trivial_scores(self) -> dict[str, float]:
        return {"memoryless": float(self._without_memory().max())}

    def recipe(self, preset: str) -> Recipe:
        """Weak input into an orthogonal network, which makes it nearly linear, with a long memory."""
        general = super().recipe(preset)
        if preset != "best":
            return general
        return general.replace(
            model=TanhRNN(input_gain=0.1),
            rule=NodePerturbation(sigma=0.001, readout="delta"),
            optimizer=Adam(lr=5e-4, readout_lr=3e-2, b2=0.99),
            decorrelation=Decorrelation(rate=0.02),
        )
