"""What the table says is what the synapses do, and what is not local is named."""

from __future__ import annotations

import math

import pytest

from neuroanp.cli.main import main
from neuroanp.config import registry
from neuroanp.errors import InvalidValue
from neuroanp.hardware import IntegerChip, OnChip, locality
from neuroanp.models import LIF, CurrentLIF
from neuroanp.optim import SGD, Adam, Chain, Clip, WeightBounds
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.reward import Modulator, NoiseCritic, OtherLanes
from neuroanp.rules import (
    ActivityPerturbation,
    DelayedHebbian,
    EProp,
    EscapeScore,
    NodePerturbation,
    NodeRule,
    OrnsteinUhlenbeck,
    RewardSTDP,
    WeightPerturbation,
)
from neuroanp.substrate import FixedPoint
from neuroanp.synapse import BROADCAST, Neuron, NotLocal, Synapse
from support.chip import TANH, TASK

NODES = NodePerturbation(sigma=0.05)


def statements(chip, name):
    """What Brian2 was given for the synapses of a projection, by when it runs."""
    synapses = chip.chip.synapses[name]
    runners = {runner.name: runner.abstract_code for runner in synapses.contained_objects}
    parts = {part: runners.get(f"{name}_{part}", "") for part in ("eligibility", "credit")}
    return parts | {"change": synapses.change.abstract_code.strip() if hasattr(synapses, "change") else ""}


@pytest.mark.parametrize(
    "rule",
    [NODES, NodePerturbation(readout="delta"), NodePerturbation(readout="fixed"), WeightPerturbation(),
     WeightPerturbation(hold="step"), RewardSTDP(readout="delta"), DelayedHebbian(), OrnsteinUhlenbeck()],
    ids=lambda rule: f"{rule.name} {rule.readout}",
)  # fmt: skip
def test_the_table_shows_the_statements_that_run(rule):
    table = locality(rule, optimizer=Adam())
    chip = OnChip(TANH, TASK, rule=rule, optimizer=Adam(), engine="runtime")
    text = str(table)
    for name, declared in table.synapses.items():
        ran = statements(chip, name)
        assert ran == {
            "eligibility": declared.eligibility, "credit": declared.credit, "change": declared.each_trial
        }  # fmt: skip
        for line in "\n".join(ran.values()).splitlines():
            assert line in text
        own = {n for n, v in chip.chip.synapses[name].variables.items() if v.owner is not None}
        assert {"weight", *declared.state} <= own


def test_the_numbers_are_those_of_a_count_by_hand():
    table = locality(NodePerturbation(sigma=0.05), optimizer=SGD())
    synapse = table.synapses["W_rec"]
    # decay * eligibility, noise * trace, / sigma**2, + ; modulator * eligibility, +=
    assert synapse.operations(synapse.each_step) == 6
    # learning_rate * gradient, -=
    assert synapse.operations(synapse.each_trial) == 2
    assert synapse.reads("pre") == ["trace_pre"] and synapse.reads("post") == ["noise_post"]
    assert synapse.reads("broadcast") == ["decay", "modulator", "learning_rate"]
    assert "weight, eligibility, gradient: 96 or 192 bits (3 variables)" in str(table)
    assert "6 operations a step, 2 a trial" in table.line()


class Undeclared(NodeRule):
    """A rule that doesn't say what a synapse does by it."""

    name = "undeclared"

    def post(self, layer, record, modulator):
        return layer.noise


NOT_LOCAL = {
    "activity": ({"rule": ActivityPerturbation()}, "squared norm over the layer", "NodePerturbation"),
    "two passes": ({"modulator": Modulator()}, "trace without noise", "RunningMean"),
    "clean pass": (
        {"rule": NodePerturbation(mirrored=False), "modulator": Modulator()},
        "in another pass than the noise",
        "RunningMean",
    ),
    "delta rule, mirrored": (
        {"rule": WeightPerturbation(readout="delta"), "modulator": Modulator()},
        "means of output and trace",
        "mirrored=False",
    ),
    "lanes": ({"modulator": Modulator(baseline=OtherLanes())}, "returns of other lanes", "RunningMean"),
    "noise critic": ({"modulator": Modulator(baseline=NoiseCritic())}, "square of the noise", "RunningMean"),
    "clipping": ({"optimizer": Chain(Clip(norm=1.0), Adam())}, "norm of the update", "WeightBounds"),
    "decorrelation": ({"decorrelation": Decorrelation()}, "column of D", "decorrelation=None"),
    "e-prop": ({"rule": EProp(feedback="symmetric")}, "present weights", 'EProp(feedback="learned")'),
    "STDP, two passes": (
        {"rule": RewardSTDP(), "modulator": Modulator()},
        "spikes of one pass",
        "RunningMean",
    ),
    "Hebbian, two passes": (
        {"rule": DelayedHebbian(), "modulator": Modulator()},
        "fluctuations of one pass",
        "RunningMean",
    ),
    "not declared": ({"rule": Undeclared()}, "not declared", "NodePerturbation"),
}


@pytest.mark.parametrize("case", NOT_LOCAL)
def test_what_is_not_local_is_named_before_anything_is_built(case, monkeypatch):
    changes, quantity, variant = NOT_LOCAL[case]
    monkeypatch.setattr(NodeRule, "name", "no-name", raising=False)
    settings = {"rule": NODES} | changes
    with pytest.raises(InvalidValue, match=r"^OnChip\.\w+: expected what is local to a synapse, got") as told:
        OnChip(TANH, TASK, **settings)
    assert quantity in str(told.value) and variant in str(told.value).partition("local is")[2]
    table = locality(**settings)
    assert not table.local and quantity in str(table) and variant in str(table)
    assert table.line().startswith("not local: ")


def test_one_noisy_pass_needs_a_baseline_on_chip_too():
    with pytest.raises(InvalidValue, match=r"^Modulator\.baseline: expected a baseline of one pass"):
        OnChip(LIF(), TASK, rule=EscapeScore(), modulator=Modulator())


def test_stages_that_do_nothing_are_local():
    table = locality(NODES, optimizer=Chain(Clip(norm=math.inf), SGD(), WeightBounds()))
    assert table.local and table.synapses == locality(NODES, optimizer=SGD()).synapses


def test_noise_on_weights_of_spiking_cells_is_refused():
    with pytest.raises(InvalidValue, match=r"^OnChip\.rule: expected noise on nodes"):
        OnChip(LIF(hidden=3), TASK, rule=WeightPerturbation())


def test_names_that_mean_nothing_are_refused():
    with pytest.raises(
        InvalidValue, match=r"^Synapse\.credit: expected weight, gradient, memory, .*got wind"
    ):
        Synapse(state=("memory",), credit="memory += wind")


@pytest.mark.parametrize("name", sorted(registry.classes("rule")))
def test_every_rule_says_what_it_needs(name):
    table = locality(registry.classes("rule")[name]())
    for found in table.synapses.values():
        assert isinstance(found, NotLocal) or set(found.reads("broadcast")) <= set(BROADCAST)
    assert name in str(table)


def test_the_shell_lists_all_rules(capsys):
    assert main(["locality"]) == 0
    said = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert set(said) == set(registry.classes("rule"))
    assert said["node-perturbation"].startswith("local: ")
    assert said["activity-perturbation"].startswith("not local: the squared norm")


def test_the_shell_takes_options(capsys):
    words = ["node-perturbation", "--optimizer", "sgd", "--rule.readout", "delta", "--rule.sigma", "0.2"]
    assert main(["locality", *words]) == 0
    said = capsys.readouterr().out
    assert said == f"{locality(NodePerturbation(sigma=0.2, readout='delta'), optimizer=SGD())}\n"
    assert "sigma 0.2" in said and "y_post - target_post" in said


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["node-perturbatio"], "did you mean 'node-perturbation'"),
        (["node-perturbation", "--optimizer", "adm"], "did you mean 'adam'"),
        (["node-perturbation", "--rule.sgima", "1"], "did you mean --rule.sigma"),
        (["node-perturbation", "--rule.sigma", "-1"], "NodePerturbation.sigma: expected"),
        (["--rule.sigma", "1"], "expected a rule before the options"),
    ],
)
def test_wrong_words_are_told(words, hint, capsys):
    assert main(["locality", *words]) == 2
    assert hint in capsys.readouterr().err


def test_help(capsys):
    assert main(["locality", "--help"]) == 0 and "usage: neuroanp locality" in capsys.readouterr().out
    assert main(["locality", "node-perturbation", "--help"]) == 0
    assert "--rule.sigma" in capsys.readouterr().out


def test_the_table_of_a_rule_with_feedback_says_what_a_cell_does_and_what_is_broadcast():
    text = str(locality(EProp()))
    assert "slope = awake * damping / threshold * clip(" in text
    assert "slope, chance, surprise, uncertainty, signal: 160 or 320 bits (5 variables)" in text
    assert "the sum over B of the errors of all outputs, broadcast at each step" in text
    assert "explained: the sum over B of spikes" in text
    assert "explained" not in str(locality(EProp(feedback="kolen-pollack")))


def test_names_of_a_cell_that_mean_nothing_are_refused():
    with pytest.raises(InvalidValue, match=r"^Neuron\.after: expected mine, potential, .*got wind"):
        Neuron(state=("mine",), after="mine = wind")


@pytest.mark.parametrize("model", [CurrentLIF(hidden=4), TANH], ids=lambda model: model.name)
def test_cells_that_the_rule_cannot_follow_on_chip_are_refused(model):
    with pytest.raises(InvalidValue, match=r"^OnChip\.model: expected a model of cells with known"):
        OnChip(model, TASK, rule=EProp(feedback="random"))


def test_integers_and_exports_refuse_work_of_cells():
    with pytest.raises(InvalidValue, match="variables of a cell that the rule gives it"):
        IntegerChip(LIF(hidden=4), TASK, rule=EProp(), numbers=FixedPoint())
