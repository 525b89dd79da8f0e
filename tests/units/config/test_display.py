"""Parts, runs and networks say what they are, and show no text of a file as HTML."""

import html.parser

import numpy as np
import pytest
from brian2 import ms

from neuroanp.config.display import fold, paragraph, same, table
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.models import LIF
from neuroanp.network.network import Network
from neuroanp.optim import Adam, Chain, Clip
from neuroanp.plotting.sparkline import sparkline
from neuroanp.rules import NodePerturbation
from neuroanp.tasks import CopyingMemory
from neuroanp.training.recipe import Recipe
from neuroanp.types import Array
from support.toys import make_run

SCRIPT = "<script>alert('x')</script>"


class Odd(Part):
    """Part of <b>anything</b>."""

    text: str = option(SCRIPT, "text <i>of</i> a user")
    data: Array | None = option(None, "array")
    weights: tuple[float, ...] = option((1.0, 2.0), "numbers")


class Page(html.parser.HTMLParser):
    """Tags and texts of HTML whose tags are closed in their order."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.texts, self.opened = [], [], []
        self.feed(text)
        self.close()
        assert self.opened == []

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.opened.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.opened.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    @property
    def text(self):
        return " ".join(self.texts)


@pytest.mark.parametrize(
    "part",
    [
        Recipe(),
        CopyingMemory(length=3, fresh=False),
        LIF(hidden=7, tau=12.5 * ms),
        Recipe(rule=NodePerturbation(sigma=0.5, hold=3), decorrelation=None, optimizer=Chain(Clip(), Adam())),
    ],
)
def test_text_is_the_call_that_makes_it(part):
    from brian2 import msecond

    names = {cls.__name__: cls for cls in (Recipe, CopyingMemory, LIF, NodePerturbation, Chain, Clip, Adam)}
    assert eval(repr(part), names | {"msecond": msecond}) == part


def test_text_has_what_differs_from_the_default_alone():
    assert repr(NodePerturbation()) == "NodePerturbation()"
    assert repr(Recipe(rule=NodePerturbation(hold=3))) == "Recipe(rule=NodePerturbation(hold=3))"


def test_a_part_shows_its_options_with_unit_default_and_meaning():
    page = Page(LIF(tau=12.5 * ms)._repr_html_())
    assert page.text.startswith("LIF  \N{EN DASH} ")
    assert "tau 12.5 ms 20 ms membrane time constant" in page.text
    assert "hidden 100 number of hidden units" in page.text
    assert page.tags.count("b") == 2


def test_a_recipe_folds_its_parts():
    page = Page(Recipe(rule=NodePerturbation(sigma=0.5), decorrelation=None)._repr_html_())
    assert page.tags.count("details") == 7
    assert "rule:  NodePerturbation (sigma=0.5)" in page.text
    assert "decorrelation none Decorrelation() " in page.text
    assert "baseline:  OtherPass ()" in page.text


@pytest.mark.parametrize("show", [lambda: Odd(), lambda: Odd(data=np.zeros((2, 3)))])
def test_texts_are_escaped(show):
    page = Page(show()._repr_html_())
    assert not {"script", "i"} & set(page.tags)
    assert page.tags.count("b") == (1 if show().data is None else 2)
    assert {SCRIPT, "text <i>of</i> a user"} <= set(page.texts)
    assert "float64 of shape (2, 3)" in page.text or show().data is None


def test_what_is_put_into_tables_and_folds_is_escaped():
    page = Page(fold(SCRIPT, table([(SCRIPT, 3)], (SCRIPT,)), paragraph(SCRIPT), SCRIPT))
    assert page.texts.count(SCRIPT) == 5
    assert "script" not in page.tags


def test_chains_are_told_apart():
    assert Chain(Clip(norm=2.0), Adam()) == Chain(Clip(norm=2.0), Adam()) != Chain(Adam(), Clip(norm=2.0))
    assert same(Recipe(optimizer=Chain(Adam())), Recipe(optimizer=Chain(Adam())))
    assert not same(Recipe(optimizer=Chain(Adam())), Recipe(optimizer=Chain(Adam(), Clip())))
    assert "stages:  Clip (norm=2.0)" in Page(Chain(Clip(norm=2.0))._repr_html_()).text


def test_arrays_of_other_shapes_are_not_the_same():
    assert same(np.ones(3), np.ones(3))
    assert not same(np.ones(3), np.ones(1))
    assert not same(np.ones(3), None)


def test_a_run_shows_its_result_beside_the_trivial_predictors():
    run = make_run(0.002)
    page = Page(run._repr_html_())
    assert page.texts[0] == str(run)
    assert "network 0.002 0.95" in page.text
    for name, level in run.result["trivial"].items():
        assert f"{name} {level:.3g}" in page.text
    assert page.tags.count("svg") == 1
    assert {"polyline", "line"} < set(page.tags)
    assert "rate" not in page.text


def test_a_run_from_a_file_shows_no_html_of_it():
    run = make_run(0.002)
    run.result["trivial"] = {SCRIPT: 0.1, "none": float("nan")}
    run.result["model"] = run.result["score_name"] = SCRIPT
    run.config["task"] = {"class": SCRIPT}
    page = Page(run._repr_html_())
    assert not {"script", "i"} & set(page.tags)
    assert "is neither offered by an installed package nor" in page.text


def test_an_untested_run_is_shown():
    assert "not tested" in Page(make_run(None)._repr_html_()).text


@pytest.mark.parametrize("losses", [[], [1.0], [np.nan, 0.0, -1.0, np.inf]])
def test_a_curve_that_cant_be_drawn_is_left_out(losses):
    assert sparkline(range(len(losses)), losses, {"zero": 1.0}, "loss") == ""


def test_a_long_curve_is_drawn_with_few_points():
    curve = sparkline(np.arange(1, 10**5), np.geomspace(1, 1e-3, 10**5 - 1), {"a": 0.5, "b": 0.49}, "loss")
    assert len(curve) < 7000
    assert curve.count("<text") == 2


def test_a_network_shows_its_projections():
    network = Network(LIF(hidden=5), 3, 2, 1 * ms, lanes=4, passes=("plus", "minus"), engine="runtime")
    assert repr(network) == (
        "Network of 5 lif units, 4 inputs (1 of them the bias) and 2 outputs; 4 lanes in plus and minus "
        "passes; steps of 1 ms, float64, runtime engine"
    )
    assert "W_rec hidden (5) hidden (5) not loaded yet no" in Page(network._repr_html_()).text
    network.load(network.model.start_weights(np.random.default_rng(0), 4, 2))
    assert "W_in inputs (4) hidden (5) 5 x 4 0 % no" in Page(network._repr_html_()).text
