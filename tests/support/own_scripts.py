"""Runs of the scripts of users in which a Brian2 network learns.

``PYTHONPATH=.:tests python tests/support/own_scripts.py`` measures all of them, in about half an hour, and
stores the losses. The scale of the readout alone is the best of several on seeds 0 to 4, as all settings of
the scripts are; what is shown is measured on seeds 100 to 104.
"""

import json
import runpy
import sys
from pathlib import Path

import numpy as np

import neuroanp as nap
import neuroanp.engine

SCRIPTS = Path(__file__).parents[1] / "brian2" / "scripts"

EVIDENCE = Path(__file__).parents[2] / "notebooks" / "evidence" / "own_networks.json"

NAMES = ("coba", "delays", "inhibitory_stdp", "short_term_plasticity")

SCALES = (1, 3, 10, 30, 100)
"""Scales of the readout alone that are tried, times that of the script."""

UNSEEN = range(10**6, 10**6 + 50)
"""Trials that no update sees."""


def run(name, seed, hidden=True, readout_scale=1.0):
    """Losses before and after, and all names, of a script with a seed.

    Without `hidden` its readout learns alone, in trials without noise, with its scale multiplied.
    """
    before = []

    class Measured(nap.learner.Learner):
        def __init__(self, net, *, perturb, learn, **settings):
            frame = sys._getframe(1)
            names = frame.f_globals | frame.f_locals
            if not hidden:
                synapses, variable, scale = learn[-1]
                perturb, learn = [], [(synapses, variable, scale * readout_scale)]
                settings["keep_signs"] = [s for s in settings.get("keep_signs", ()) if s is synapses]
            super().__init__(net, perturb=perturb, learn=learn, seed=seed, namespace=names, **settings)
            before.append(unseen_loss(self))

    original, argv = nap.Learner, sys.argv
    nap.Learner, sys.argv = Measured, [name, str(seed)]
    try:
        names = runpy.run_path(str(SCRIPTS / f"{name}.py"))
    finally:
        nap.Learner, sys.argv = original, argv
    return {"before": before[0], "after": unseen_loss(names["learner"]), "names": names}


def unseen_loss(learner):
    """Mean loss of the unseen trials."""
    return float(np.mean([learner.evaluate(trial) for trial in UNSEEN]))


def measured(name):
    """Losses of a script: of the readout alone by scale, and of both, on both kinds of seeds."""
    tuning = {
        str(scale): [run(name, seed, hidden=False, readout_scale=scale)["after"] for seed in range(5)]
        for scale in SCALES
    }
    best = min(SCALES, key=lambda scale: np.mean(tuning[str(scale)]))
    runs = []
    for seed in (*range(5), *range(100, 105)):
        learned = run(name, seed)
        alone = run(name, seed, hidden=False, readout_scale=best)["after"]
        runs.append(
            {"seed": seed, "before": learned["before"], "after": learned["after"], "readout_alone": alone}
        )
    return {"tuning": tuning, "readout_scale": best, "runs": runs}


if __name__ == "__main__":
    EVIDENCE.write_text(json.dumps({"scripts": {name: measured(name) for name in NAMES}}, indent=1) + "\n")
