"""Four scripts of users in which their Brian2 network learns: short, and better than a readout alone."""

import ast

import numpy as np
import pytest

from neuroanp.storage import read_json
from support.own_scripts import EVIDENCE, NAMES, SCRIPTS, run

MARK = "# learning"


@pytest.mark.parametrize("name", NAMES)
def test_script_takes_ten_lines_for_learning(name):
    text = (SCRIPTS / f"{name}.py").read_text()
    lines = text.splitlines()
    marked = {number for number, line in enumerate(lines, start=1) if MARK in line}
    assert len(marked) <= 10
    used = {"Learner", "rules", "learner", "losses"}
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Name) and node.id in used:
            assert node.lineno in marked, lines[node.lineno - 1]


def judged(runs):
    """Ratio of the losses after and before, and the gain over the readout alone in its standard errors."""
    before, after, alone = (
        np.array([run[key] for run in runs]) for key in ("before", "after", "readout_alone")
    )
    gain = alone - after
    return after.mean() / before.mean(), gain.mean() / (gain.std(ddof=1) / np.sqrt(len(gain)))


def test_stored_losses_are_what_is_claimed():
    """Loss at most a third of that before, and below the readout alone by two standard errors."""
    stored = read_json(EVIDENCE)["scripts"]
    assert sorted(stored) == sorted(NAMES)
    for entry in stored.values():
        published = [run for run in entry["runs"] if run["seed"] >= 100]
        assert len(published) == 5
        ratio, gain = judged(published)
        assert ratio <= 1 / 3 and gain >= 2


@pytest.mark.slow  # 2 minutes each
@pytest.mark.parametrize("name", NAMES)
def test_script_learns_as_stored(name, own_scope):
    entry = read_json(EVIDENCE)["scripts"][name]
    runs = []
    for seed in range(100, 105):
        learned, alone = run(name, seed), run(name, seed, hidden=False, readout_scale=entry["readout_scale"])
        runs.append(learned | {"readout_alone": alone["after"]})
    ratio, gain = judged(runs)
    assert ratio <= 1 / 3 and gain >= 2
    stored = np.mean([run["after"] for run in entry["runs"] if run["seed"] >= 100])
    assert np.mean([run["after"] for run in runs]) == pytest.approx(stored, rel=0.2)
    plastic = runs[0]["names"].get("plastic")
    if plastic is not None:  # STDP of the network's own went on beside the learning
        weights = np.asarray(plastic.w)
        assert weights.std() > 0.1
