"""Store and recall: remember a bit from one signal to another."""

from __future__ import annotations

from typing import Any

import numpy as np
from brian2 import ms

from neuroanp.config.option import option
from neuroanp.models import ALIF
from neuroanp.network.trial import Trial
from neuroanp.optim import Adam
from neuroanp.reward import Modulator, OtherLanes
from neuroanp.rules import EProp, NodePerturbation
from neuroanp.tasks._decisions import Decision, decision, poisson, steps
from neuroanp.training.recipe import Recipe

BELLEC_2018 = """@inproceedings{bellec2018long,
  author = {Bellec, Guillaume and Salaj, Darjan and Subramoney, Anand and Legenstein, Robert and Maass,
    Wolfgang},
  title = {Long short-term memory and learning-to-learn in networks of spiking neurons},
  booktitle = {Advances in Neural Information Processing Systems},
  volume = {31},
  year = {2018},
  eprint = {1803.09574},
  archivePrefix = {arXiv}
}"""


class StoreRecall(Decision):
    """Memory of a bit: inputs show one in each slot, that of the store slot is asked for in the recall slot.

    Bits are random. Two sets of inputs show them; one more fires in the store slot, another in the recall
    slot. The trial begins with the store slot and ends with the recall slot, the only one that counts. The
    bits of the slots between and of the recall slot itself are distractors.

    References
    ----------
    Bellec et al., NeurIPS (2018), arXiv 1803.09574.
    """

    name = "store-recall"
    sources = (BELLEC_2018,)
    score_name = "fraction of bits right"
    presets = ("best", "node", "published")
    periods = ("slot",)

    slot: Any = option(100 * ms, "length of a slot", unit="ms", above=0)
    between: int = option(4, "slots between store and recall", least=0)

    @property
    def n_in(self) -> int:
        return 4 * self.channels

    def trial(self, rng: np.random.Generator, lanes: int, index: int = 0) -> Trial:
        """Spikes (T, lanes, n_in) of four sets of inputs: bit 0, bit 1, store, recall."""
        length, slots = steps(self, "slot"), self.between + 2
        bits = rng.integers(2, size=(slots, lanes))
        on = np.zeros((slots, lanes, 4), bool)
        on[np.arange(slots)[:, None], np.arange(lanes), bits] = True
        on[0, :, 2] = on[-1, :, 3] = True
        hertz = np.where(on, float(self.rate), float(self.background))
        hertz = hertz.repeat(length, axis=0).repeat(self.channels, axis=2)
        return decision(poisson(rng, hertz, self.dt), 2.0 * bits[0] - 1, length)

    def recipe(self, preset: str) -> Recipe:
        """Cells that fire only with several inputs, and then adapt for much longer than the trial.

        Cells that need both the store signal and a bit remember that bit alone. "node": node perturbation.
        """
        general = super().recipe(preset)
        if preset == "published":
            return general
        node = general.replace(
            model=ALIF(
                hidden=200, input_gain=8.0, bias_mean=-3.0, recurrent_gain=0.0, adaptive=1.0, beta=0.5,
                tau_a=5000 * ms, tau_out=50 * ms,
            ),
            rule=NodePerturbation(sigma=2.0, hold=10, readout="delta"),
            modulator=Modulator(discount=1.0, baseline=OtherLanes(copies=4)),
            optimizer=Adam(lr=3e-3, input_lr=3e-2, readout_lr=1e-2),
            decorrelation=None,
            lanes=128,
            updates=240,
        )  # fmt: skip
        if preset == "node" or self.reward != "error":
            return node
        return node.replace(rule=EProp(), modulator=Modulator(), lanes=64, updates=100)
