"""Figures leave the user's rcParams alone, and their letters stay letters in vector files."""

from itertools import combinations

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb

import neuroanp as nap
from neuroanp.plotting.axes import plot_loss
from neuroanp.plotting.run import figure

SEEN = {
    "protanopia": [[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]],
    "deuteranopia": [[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]],
}
"""Colours (red, green, blue) as seen; Machado, Oliveira, Fernandes, IEEE TVCG 15, 1291 (2009), severity 1."""
HISTORY = {"update": np.arange(1, 6), "loss": np.geomspace(1, 0.1, 5)}


def drawn():
    return figure(HISTORY, {"zero": 1.0}, None, "a title")


def test_a_users_settings_stay():
    before = dict(matplotlib.rcParams)
    drawn()
    plot_loss(HISTORY)
    assert dict(matplotlib.rcParams) == before


def test_letters_are_exported_as_letters(tmp_path):
    for place in (drawn(), plot_loss(HISTORY).figure):
        place.savefig(tmp_path / "figure.svg")
        place.savefig(tmp_path / "figure.pdf")
        assert ">update</text>" in (tmp_path / "figure.svg").read_text()
        pdf = (tmp_path / "figure.pdf").read_bytes()
        assert b"/Type0" in pdf and b"/Type3" not in pdf


@pytest.mark.parametrize("seen", SEEN)
def test_colours_differ_for_the_colour_blind(seen):
    colours = [to_rgb(entry["color"]) for entry in nap.plotting.STYLE["axes.prop_cycle"]]
    distances = [np.linalg.norm(np.dot(SEEN[seen], np.subtract(*pair))) for pair in combinations(colours, 2)]
    assert min(distances) > 0.19  # Matplotlib's own: 0.04 and 0.14


def test_the_style_is_one_that_pyplot_takes():
    pyplot = pytest.importorskip("matplotlib.pyplot")
    with pyplot.style.context(nap.plotting.STYLE):
        assert matplotlib.rcParams["svg.fonttype"] == "none"
