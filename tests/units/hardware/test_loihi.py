"""Learning rules as microcode: every rule has it or a reason, and it acts as the rule is meant."""

import dataclasses
import json

import numpy as np
import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.cli.main import main
from neuroanp.config import registry
from neuroanp.errors import InvalidValue
from neuroanp.hardware.export import loihi, loihi_file
from neuroanp.hardware.export.loihi import DEFAULTS, Microcode, NoMicrocode
from neuroanp.hardware.locality import local_synapses
from neuroanp.models import CurrentLIF, TanhRNN
from neuroanp.optim import SGD, Adam, ShiftSGD, SignSGD, WeightBounds
from neuroanp.reward import Modulator, OtherLanes, RunningMean
from neuroanp.rules import DelayedHebbian, NodePerturbation, ReadoutOnly, RewardSTDP, Rule, WeightPerturbation
from neuroanp.substrate.loihi import LoihiLearning
from neuroanp.synapse import Synapse
from neuroanp.tasks import PatternGeneration
from support.loihi import changes, series, slope

RATE = 2.0**-5
MODULATOR = Modulator(discount=1 - 2.0**-4, baseline=RunningMean())
OWN = NodePerturbation(sigma=0.5)


class Own(Rule):
    """Rule of somebody else, defined by the statements of one synapse."""

    name = "own"

    def __init__(self, **statements):
        super().__init__()
        object.__setattr__(self, "statements", statements)

    def own_synapse(self, name, passes):
        return Synapse(**self.statements)

    def __call__(self, record, modulator, state):
        return {}


FILTERED = Own(
    state=("filtered", "eligibility", "gradient"),
    eligibility="filtered = 0.9 * filtered + trace_pre",
    credit="""
        eligibility = decay * eligibility + 2 * noise_post * filtered
        gradient += modulator * eligibility
    """,
    forget="gradient = 0",
)
ERROR = "course*mask*(target_post - y_post)"
HAVE = {"delayed-hebbian", "node-perturbation", "readout-only", "reward-stdp"}


@pytest.mark.parametrize("name", registry.classes("rule"))
def test_every_rule_has_microcode_or_a_reason(name):
    rule = registry.classes("rule")[name]()
    code = loihi(rule)
    assert set(code.projections) == {"W_in", "W_rec", "W_out"}
    for projection, synapse in local_synapses(rule, code.modulator, code.optimizer).items():
        part = code.projections[projection]
        assert isinstance(part, Microcode | NoMicrocode)
        if isinstance(part, NoMicrocode):
            assert part.quantity and part.quantity in str(code)
            assert part.variant == "NodePerturbation with Modulator(baseline=RunningMean())"
        elif part.learns:
            assert isinstance(synapse, Synapse) and part.dw in str(code) and part.dt in str(code)
            LoihiLearning([[0]], **part.arguments())
    assert (name in HAVE) == (not code.missing) == code.line().startswith("dw = ")


def both(rule, projection, sizes, typical=None, change=None, trials=12, firing=0.1, **options):
    """Changes of weights by the rule's own statements, and in the emulator, (trials, post, pre)."""
    settings = {"modulator": MODULATOR, "optimizer": SGD(lr=RATE)}
    code = loihi(rule, sizes=typical, **settings).projections[projection]
    code = dataclasses.replace(code, **change(code)) if change else code
    synapse = local_synapses(rule, **settings)[projection]
    constants = DEFAULTS | {"discount": MODULATOR.discount, "learning_rate": RATE}
    rng = np.random.default_rng(1)
    pairs = [
        changes(synapse, code, series(rng, sizes, firing), constants, rng, **options) for _ in range(trials)
    ]
    meant, got = map(np.array, zip(*pairs, strict=True))
    return meant, got


def meant_and_got(*arguments, **options):
    """Size and correlation of weight changes in the emulator, against those by the rule's own statements."""
    return slope(*both(*arguments, **options))


@pytest.mark.parametrize(
    "rule, projection, sizes, typical",
    [
        (NodePerturbation(sigma=0.5), "W_rec", {"noise_post": 0.5}, {}),
        (RewardSTDP(a_minus=0.7), "W_rec", {}, {}),
        (DelayedHebbian(), "W_in", {"activity_post": 0.5}, {"fluctuation**3": 3.0}),
        (ReadoutOnly(), "W_out", {"y_post": 0.2, "target_post": 0.2}, {ERROR: 0.3}),
        (FILTERED, "W_rec", {"noise_post": 0.5}, {"noise_post": 0.5}),
    ],
)
def test_microcode_changes_weights_as_its_rule_means(rule, projection, sizes, typical):
    size, correlation = meant_and_got(rule, projection, sizes, typical)
    assert size == pytest.approx(1, abs=0.1) and correlation > 0.7


def test_exponents_make_up_for_lost_bits():
    def as_in_floating_point(code):
        exponent = int(code.dw.partition("^")[2].partition("*")[0])
        return {"dw": code.dw.replace(f"2^{exponent}", f"2^{exponent - 5}")}

    rule, noise = NodePerturbation(sigma=0.2), {"noise_post": 0.2}
    size, _ = meant_and_got(rule, "W_rec", noise, change=as_in_floating_point, trials=40)
    assert size == pytest.approx(1 / 32, rel=0.5)


def test_reward_and_punishment_as_two_factors_survive_postsynaptic_spikes():
    def one_signed_factor(code):
        y2 = dataclasses.replace(code.sent[-2], part="signed")
        y3 = dataclasses.replace(code.sent[-1], scale=0.0)
        return {"sent": (*code.sent[:-2], y2, y3)}

    rule = RewardSTDP(tau_plus=4 * ms, tau_minus=2 * ms)
    two, _ = meant_and_got(rule, "W_rec", {}, firing=0.6, trials=24)
    one, _ = meant_and_got(rule, "W_rec", {}, firing=0.6, trials=24, change=one_signed_factor)
    assert two == pytest.approx(1, abs=0.1) and one == pytest.approx(0.7, abs=0.1)


def test_weights_drift_down_where_modulators_are_no_multiples_of_32():
    def whole_numbers(code):
        fine = (dataclasses.replace(sent, multiple=1) for sent in code.sent)
        return {"sent": tuple(fine)}

    drift = []
    for change in (None, whole_numbers):
        meant, got = both(NodePerturbation(sigma=0.2), "W_rec", {"noise_post": 0.2}, change=change, trials=6)
        drift.append((got - meant).mean() / meant.std())
    assert abs(drift[0]) < 0.15 and drift[1] < -0.4


def test_noise_of_both_signs_needs_postsynaptic_spikes_unconnected():
    code = loihi(NodePerturbation()).projections["W_rec"]
    assert not code.post_spikes and code.sent[0].part == "signed"
    noise = {"noise_post": 0.5}
    lost, _ = meant_and_got(NodePerturbation(sigma=0.5), "W_rec", noise, firing=1.0, post_spikes=True)
    assert lost == pytest.approx(0.5, abs=0.15)


TWO = ("eligibility", "gradient")
SENT = "eligibility = decay * eligibility + noise_post * trace_pre"


@pytest.mark.parametrize(
    "statements, reason",
    [
        ({"state": ("eligibility", "b"), "eligibility": f"{SENT}\nb = eligibility**2"}, "eligibility and b"),
        ({"state": TWO, "eligibility": "eligibility += noise_post * activity_pre"}, "activity_pre"),
        ({"state": TWO, "eligibility": "eligibility += (noise_post * trace_pre) * weight"}, "weight"),
        ({"state": TWO, "eligibility": "eligibility = sqrt(eligibility) + noise_post * trace_pre"}, "sqrt"),
        ({"state": TWO, "eligibility": SENT, "forget": "gradient = 1"}, "gradient = 1"),
        (
            {"state": (*TWO, "x"), "eligibility": f"x = 0.5 * x + trace_pre\n{SENT} + trace_post * x"},
            "noise_post, which may be negative",
        ),
        ({"state": (*TWO, "x"), "eligibility": f"x = trace_pre - 0.5 * x\n{SENT}"}, "x = "),
        ({"state": ("gradient",), "credit": "gradient += modulator * noise_post"}, "tag"),
        ({"transmits": "2 * weight", "state": TWO, "eligibility": SENT}, "2 * weight"),
    ],
)
def test_statements_without_a_place_are_named(statements, reason):
    statements = {"credit": "gradient += modulator * eligibility"} | statements
    code = loihi(Own(**statements)).projections["W_rec"]
    assert isinstance(code, NoMicrocode) and reason in code.quantity


def test_a_rule_whose_modulator_comes_once_a_trial_keeps_its_tag_until_then():
    learn = "gradient = outcome * eligibility"
    rule = Own(state=TWO, eligibility="eligibility += noise_post * trace_pre", learn=learn)
    code = loihi(rule).projections["W_rec"]
    assert code.dt == "2^-2*x0*y1"
    assert {sent.when for sent in code.sent[1:]} == {"in the step after the last of a trial, else 0"}


@pytest.mark.parametrize(
    "discount, term, error",
    [
        (0.98, "2^-6*u0*t", -0.21875),
        (1 - 2.0**-5, "2^-5*u0*t", None),
        (0.0, "2^0*u0*t", None),
        (1.0, "", None),
    ],
)
def test_decay_of_the_tag_is_a_power_of_two(discount, term, error):
    modulator = Modulator(discount=discount, baseline=RunningMean())
    code = loihi(OWN, modulator=modulator).projections["W_rec"]
    assert code.dt == "2^-2*x0*y1" + (f" - {term}" if term else "")
    assert [rounded.error for rounded in code.rounded] == ([] if error is None else [pytest.approx(error)])


def test_what_exponents_cannot_say_is_told():
    slow = loihi(OWN, modulator=Modulator(discount=0.999, baseline=RunningMean())).projections["W_rec"]
    assert "the tag doesn't fade" in slow.notes[0] and "u0*t" not in slow.dt
    weak = loihi(OWN, optimizer=SGD(lr=1e-6)).projections["W_rec"]
    assert weak.dw.startswith("-2^-7*") and "the exponent of dw would be" in weak.notes[0]


@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"optimizer": Adam()}, "mean of the optimizer"),
        ({"optimizer": SGD(momentum=0.9)}, "velocity of the optimizer"),
        ({"optimizer": SignSGD()}, "sign(gradient)"),
        ({"optimizer": nap.optim.Chain(SGD(), WeightBounds(low=-1.0))}, "clip(weight"),
        ({"modulator": Modulator(baseline=OtherLanes())}, "not local"),
        ({"modulator": Modulator()}, "not local"),
    ],
)
def test_settings_without_microcode_are_named(settings, reason):
    missing = loihi(OWN, **settings).missing
    assert set(missing) == {"W_in", "W_rec", "W_out"} and reason in missing["W_rec"].quantity


@pytest.mark.parametrize(
    "options", [{"sizes": {"weight": 0}}, {"network": {"dt": "1 ms"}}, {"network": {"tau": 1.0}}]
)
def test_sizes_and_constants_are_checked(options):
    with pytest.raises(InvalidValue, match=r"export\.loihi\."):
        loihi(OWN, **options)


@pytest.fixture(scope="module")
def run():
    return nap.train(
        task=PatternGeneration(duration=20 * ms, ticks=4), model=CurrentLIF(hidden=8), optimizer=ShiftSGD(),
        rule=NodePerturbation(sigma=0.1, readout="delta"), modulator=Modulator(baseline=RunningMean()),
        decorrelation=None, rates=None, lanes=1, engine="runtime", updates=1, seed=3, progress=False, tests=0,
    )  # fmt: skip


def test_a_run_as_a_file(tmp_path, capsys, run):
    run.save(tmp_path / "run")
    out = tmp_path / "rule.json"
    assert main(["export", str(tmp_path / "run"), "--to", "loihi", "--out", str(out)]) == 0
    written = json.loads(out.read_text())
    code = written["projections"]["W_rec"]
    assert code["dt"] == "2^-2*x0*y1" and code["dw"] in capsys.readouterr().out
    assert code["weight_unit"] * 256 >= 2 * np.abs(run.weights["W_rec"]).max()
    LoihiLearning([[0]], **{name: code[name] for name in ("dw", "dt", "x1_impulse", "x1_tau", "t_epoch")})


@pytest.mark.parametrize(
    "changes, reason",
    [
        ({"rule": WeightPerturbation()}, "the weight in force"),
        ({"decorrelation": nap.Decorrelation()}, "not local"),
        ({"model": TanhRNN(hidden=8)}, "cells that spike"),
        ({"model": CurrentLIF(hidden=8, skip=True)}, "no direct connection"),
        ({}, "inputs of 0 or 1"),
    ],
)
def test_runs_without_microcode_write_no_file(tmp_path, run, changes, reason):
    graded = run.example | {"inputs": 0.5 * run.example["inputs"]}
    settings = run.task, run.recipe.replace(**changes)
    other = dataclasses.replace(run, settings=settings, example=run.example if changes else graded)
    with pytest.raises(InvalidValue, match=r"export\.loihi\.run") as error:
        loihi_file(other, tmp_path / "rule.json")
    assert reason in str(error.value) and not list(tmp_path.iterdir())


def test_a_folder_and_an_optimizer_without_microcode_are_refused(tmp_path, run):
    for path, settings in ((tmp_path, {}), (tmp_path / "rule.json", {"optimizer": Adam()})):
        with pytest.raises(InvalidValue, match=r"a file, got the folder|mean of the optimizer"):
            loihi_file(run, path, **settings)
    assert not list(tmp_path.iterdir())
