"""Networks as NIR graphs and back: the same spikes by NIR's own equations, the same learning after."""

import dataclasses
import json
import sys

import numpy as np
import pytest
from brian2 import ms

import neuroanp as nap
from neuroanp.cli.main import main
from neuroanp.errors import DataError, InvalidValue, MissingExtra
from neuroanp.hardware import export, import_nir
from neuroanp.models import ALIF, EI, LIF, BalancedLIF, CurrentLIF, TanhRNN
from neuroanp.optim import SGD
from neuroanp.reward import Modulator, RunningMean
from neuroanp.tasks import PatternGeneration

nir = pytest.importorskip("nir", reason="nir is not installed")

MODEL = CurrentLIF(hidden=12, input_gain=4.0, recurrent_gain=2.0, tau_out=10 * ms)
TASK = PatternGeneration(duration=100 * ms, ticks=4, curves=2)
OTHERS = {
    "local": {
        "modulator": Modulator(discount=0.9, baseline=RunningMean()), "optimizer": SGD(lr=1e-5), "lanes": 1,
    },
    "decorrelated": {"decorrelation": nap.Decorrelation(rate=0.1), "model": MODEL.replace(bias=False)},
}  # fmt: skip


def trained(**changes):
    options = {"preset": "node", "model": MODEL, "lanes": 4, "updates": 3} | changes
    return nap.train(task=TASK, engine="runtime", seed=3, progress=False, tests=0, **options)


@pytest.fixture(scope="module")
def run():
    return trained()


@pytest.fixture(scope="module")
def inputs():
    return 2 * np.random.default_rng(5).random((200, 4))


def stepped(graph, inputs, dt=1e-3):
    """Spikes (T, N) and outputs (T, n_out) by NIR's equations, a step of Euler's method each."""
    nodes = graph.nodes
    cells, leaky = nodes["lif"], nodes.get("readout")
    v, z = np.zeros((2, len(cells.r)))
    y, spikes, outputs = 0.0, [], []
    for u in inputs:
        current = nodes["w_in"].weight @ u + nodes["w_in"].bias + nodes["w_rec"].weight @ z
        current = current + getattr(nodes["w_rec"], "bias", 0)
        v = v + dt / cells.tau * (cells.v_leak - v + cells.r * current)
        z = (v > cells.v_threshold).astype(float)
        v = np.where(z > 0, cells.v_reset, v)
        spikes.append(z > 0)
        if leaky is not None:
            y = y + dt / leaky.tau * (leaky.v_leak - y + leaky.r * (nodes["w_out"].weight @ z))
            outputs.append(y)
    return np.array(spikes), np.array(outputs)


@pytest.mark.parametrize(("name", "dialect"), [(None, "r=1"), ("decorrelated", "r=tau/dt")])
def test_a_graph_has_the_spikes_and_outputs_of_the_network(run, inputs, tmp_path, name, dialect):
    of = run if name is None else trained(**OTHERS[name])
    graph = nir.read(export.nir(of, tmp_path / "net.nir", dialect=dialect, dtype="float64"))
    spikes, outputs = stepped(graph, inputs)
    ours = of.record(inputs[:, None], "spikes")
    assert 0.02 < spikes.mean() < 0.5
    np.testing.assert_array_equal(spikes, ours["spikes"][:, 0])
    np.testing.assert_allclose(outputs, ours.outputs[:, 0], atol=1e-12)
    beside = np.load(tmp_path / "net.nir.readout.npz")
    y = np.zeros(2)
    for z, output in zip(spikes, outputs, strict=True):
        y = beside["memory"] * y + beside["W_out"] @ z
        np.testing.assert_allclose(y, output, atol=1e-12)
    for node in (graph.nodes["lif"], graph.nodes["readout"]):
        np.testing.assert_allclose(node.r, 1 if dialect == "r=1" else node.tau / 1e-3)


@pytest.mark.parametrize(("name", "options"), [
    (None, {"dialect": "r=tau/dt"}), ("local", {"readout": False}), ("decorrelated", {}),
])  # fmt: skip
def test_the_next_ten_updates_are_those_of_the_original(run, tmp_path, name, options):
    of = run if name is None else trained(**OTHERS[name])
    net = import_nir(export.nir(of, tmp_path / "net.nir", **options))
    assert (net.recipe, net.task, net.seed) == (of.recipe, of.task, 3)
    parts = (of.recipe.rule, of.recipe.modulator, of.recipe.optimizer)
    assert (net.rule, net.modulator, net.optimizer) == parts
    recipe, ends = net.recipe.replace(updates=10), []
    for start in (of, net.weights):
        trainer = nap.Trainer(net.task, recipe, seed=9, engine="runtime", tests=0, start=start)
        losses = [step.loss for step in trainer]
        ends.append(trainer.state.weights | trainer.state.decorrelation | {"losses": np.array(losses)})
    assert len(losses) == 10 and not np.array_equal(ends[0]["W_rec"], of.weights["W_rec"])
    for key, values in ends[0].items():
        np.testing.assert_array_equal(ends[1][key], values)


def test_the_rule_leaves_as_statements_or_with_the_reason_that_it_is_not_local(run, tmp_path):
    text = json.loads(nir.read(export.nir(run, tmp_path / "net.nir")).metadata["neuroanp"])
    assert text["dt"] == 1e-3 and text["readout_memory"] == pytest.approx(np.exp(-1 / 10))
    far, own = text["learning"], run.recipe.rule.synapse("W_rec", ("plus",))
    assert not far["local"] and "other lanes" in far["synapses"]["W_rec"]["not_local"]
    assert far["one_lane"]["W_rec"]["eligibility"] == own.eligibility
    near = import_nir(export.nir(trained(**OTHERS["local"]), tmp_path / "local.nir")).learning
    assert near["local"] and near["synapses"]["W_rec"]["credit"] == own.credit
    assert near["synapses"]["W_rec"]["constants"] == {"sigma": 0.1, "hold": 10}
    assert set(near["broadcast"]) >= {"modulator", "learning_rate"}


class Own(CurrentLIF):
    """Cells that are reset to elsewhere."""

    reset = "v = 0.1; spiked = 1"


@pytest.mark.parametrize(("model", "reasons"), [
    (LIF(hidden=12), ("refractoriness, 2 steps", "loses the recurrent input", "start spread out")),
    (LIF(hidden=12, refractory_period=1 * ms, v_spread=0.0), ("loses the recurrent input",)),
    (BalancedLIF(hidden=12), ("refractoriness", "loses the recurrent input", "start spread out")),
    (ALIF(hidden=12), ("refractoriness", "loses the recurrent input", "adapt", "start spread out")),
    (TanhRNN(hidden=12), ("rates",)),
    (EI(hidden=12), ("refractoriness", "loses the recurrent input", "start spread out")),
    (MODEL.replace(v_spread=0.5), ("start spread out",)),
    (MODEL.replace(refractory_period=3 * ms), ("refractoriness, 2 steps",)),
    (MODEL.replace(density=0.5), ("density, delay",)),
    (MODEL.replace(delay=2 * ms), ("density, delay",)),
    (MODEL.replace(skip=True), ("skip",)),
    (Own(hidden=12), ("equations of its own",)),
])  # fmt: skip
def test_what_would_not_be_equal_is_refused_before_a_file_is_written(run, tmp_path, model, reasons):
    other = dataclasses.replace(run, settings=(TASK, run.recipe.replace(model=model)))
    with pytest.raises(InvalidValue, match=r"^export\.nir\.run: expected .* current-lif") as refusal:
        export.nir(other, tmp_path / "net.nir")
    said = str(refusal.value).partition(f"{model.name}: ")[2].split("; ")
    assert len(said) == len(reasons) and not list(tmp_path.iterdir())
    assert all(any(reason in text for text in said) for reason in reasons)


def test_a_network_on_a_device_is_refused(run, tmp_path):
    other = dataclasses.replace(run, settings=(TASK, run.recipe.replace(substrate=nap.substrate.Analog())))
    with pytest.raises(
        InvalidValue, match=r"^export\.nir\.run: expected a run without a substrate, .* Analog"
    ):
        export.nir(other, tmp_path / "net.nir")
    assert not list(tmp_path.iterdir())


def test_a_precision_in_which_spikes_differ_is_refused(run, tmp_path):
    steps = np.arange(3, 15)
    weights = run.weights | {"W_in": np.zeros((12, 5)), "W_rec": np.zeros((12, 12))}
    weights["W_in"][:, -1] = (1 + 1e-9) / (1 - np.exp(-steps / 20))
    edge = dataclasses.replace(run, weights=weights)
    with pytest.raises(InvalidValue, match=r"^export\.nir\.dtype: expected float64, got float32, in which "):
        export.nir(edge, tmp_path / "net.nir")
    assert not list(tmp_path.iterdir())
    assert export.nir(edge, tmp_path / "net.nir", dtype="float64").exists()


def foreign(run, tmp_path, change=None, **options):
    """A graph without our metadata in a file of its own, changed before."""
    graph = nir.read(export.nir(run, tmp_path / "net.nir", dtype="float64", **options))
    graph.metadata = {}
    if change is not None:
        change(graph.nodes, graph.edges)
    nir.write(tmp_path / "other.nir", graph)
    return tmp_path / "other.nir"


def scaled(nodes, edges):
    """The same spikes in other units, through other nodes."""
    gain = np.linspace(0.5, 3, 12)
    nodes["lif"].v_threshold *= 2 * gain
    nodes["lif"].r *= gain
    nodes["w_in"].weight, nodes["w_in"].bias = 2 * nodes["w_in"].weight, 2 * nodes["w_in"].bias - 0.25
    nodes["w_rec"] = nir.Affine(weight=2 * nodes["w_rec"].weight, bias=np.full(12, 0.25))


def straight(nodes, edges):
    """Spikes as outputs, cells that see nothing of one another."""
    for name in ("w_rec", "w_out", "readout"):
        edges[:] = [edge for edge in edges if name not in edge]
        del nodes[name]
    edges.append(("lif", "output"))
    nodes["output"] = nir.Output(output_type={"output": np.array([12])})


@pytest.mark.parametrize("change", [None, scaled, straight])
def test_graphs_of_others_are_networks_of_ours(run, inputs, tmp_path, change):
    path = foreign(run, tmp_path, change)
    graph = nir.read(path)
    if change is straight:
        graph.nodes["w_rec"] = nir.Linear(weight=np.zeros((12, 12)))
    spikes, outputs = stepped(graph, inputs)
    net = import_nir(path, dt=1 * ms)
    targets = np.zeros((200, 1, len(net.weights["W_out"])))
    record = net.network(engine="runtime").run(nap.Trial(inputs[:, None], targets))
    np.testing.assert_array_equal(record.traces[:, 0, 0] > 0, spikes)
    np.testing.assert_allclose(record.outputs[:, 0, 0], spikes if change is straight else outputs, atol=1e-9)
    assert net.rule is None and net.learning == {}


def test_weights_that_others_changed_are_theirs_and_the_rule_stays_ours(run, tmp_path):
    path = export.nir(run, tmp_path / "net.nir", readout=False)
    graph = nir.read(path)
    graph.nodes["w_rec"].weight[2, 3] += 1.0
    nir.write(path, graph)
    net = import_nir(path)
    moved = net.weights["W_rec"] - run.weights["W_rec"]
    assert moved[2, 3] == pytest.approx((np.exp(1 / 20) - 1), rel=1e-4)
    moved[2, 3] = 0
    np.testing.assert_allclose(moved, 0, atol=1e-5)
    np.testing.assert_array_equal(net.weights["W_out"], run.weights["W_out"])
    assert net.rule == run.recipe.rule and float(net.model.tau_out) == pytest.approx(0.01)


def put(node, field, value):
    def change(nodes, edges):
        array = getattr(nodes[node], field)
        setattr(nodes[node], field, np.resize(np.asarray(value, float), array.shape))

    return change


def second(nodes, edges):
    nodes["more"] = nodes["lif"]
    edges.extend([("w_in", "more"), ("more", "w_out")])


def cuba(nodes, edges):
    old = nodes["lif"]
    nodes["lif"] = nir.CubaLIF(tau_mem=old.tau, tau_syn=old.tau, r=old.r, v_leak=old.v_leak,
                               v_threshold=old.v_threshold)  # fmt: skip


def past(nodes, edges):
    edges.append(("w_in", "w_rec"))


@pytest.mark.parametrize(("change", "message"), [
    (put("lif", "v_reset", 0.5), "expected a LIF that resets to 0, got v_reset 0.5"),
    (put("lif", "v_leak", 0.3), "expected a LIF that leaks to 0, got v_leak 0.3"),
    (put("lif", "tau", [0.01, 0.02]), "expected one tau for all units of the LIF, got 2 from 0.01 to 0.02 s"),
    (put("lif", "tau", 0.001), r"expected tau of the LIF above dt \(0.001 s\), got 0.001 s"),
    (put("lif", "v_threshold", -1), "expected thresholds above 0"),
    (put("readout", "v_leak", 0.3), "expected a LI that leaks to 0"),
    (put("w_rec", "weight", np.nan), "expected finite numbers, got others in weight of w_rec"),
    (second, "expected one LIF, got 2"),
    (cuba, "expected nodes of .*LIF, LI, got lif: CubaLIF"),
    (past, "expected input -> .*, got an edge w_in -> w_rec"),
])  # fmt: skip
def test_graphs_that_no_network_of_ours_equals_are_refused_by_name(run, tmp_path, change, message):
    path = foreign(run, tmp_path, change)
    with pytest.raises(InvalidValue, match=f"^import_nir: {message}"):
        import_nir(path, dt=1 * ms)


def test_files_that_are_none_and_missing_packages_are_said(run, tmp_path, monkeypatch):
    path = foreign(run, tmp_path)
    with pytest.raises(InvalidValue, match=r"^import_nir\.dt: expected the length of a step"):
        import_nir(path)
    (tmp_path / "text.nir").write_text("no graph")
    for name in ("text.nir", "nowhere.nir"):
        with pytest.raises(DataError, match=f"{name}: expected a NIR graph"):
            import_nir(tmp_path / name)
    graph = nir.read(tmp_path / "net.nir")
    text = graph.metadata["neuroanp"]
    graph.metadata["neuroanp"] = text.replace("neuroanp.rules:NodePerturbation", "os:system")
    nir.write(path, graph)
    with pytest.raises(DataError, match=r"os:system.* is not a configuration class|neither offered"):
        import_nir(path)
    with pytest.raises(InvalidValue, match=r"^Trainer\.start: expected a run, or weights by name, got 3"):
        nap.train(MODEL, TASK, start=3, lanes=4, engine="runtime", progress=False)
    with pytest.raises(InvalidValue, match=r"^export\.nir\.path: expected a file, got the folder"):
        export.nir(run, tmp_path)
    with pytest.raises(InvalidValue, match=r"^export\.nir\.dialect: expected r=1 or r=tau/dt, got r"):
        export.nir(run, path, dialect="r")
    monkeypatch.setitem(sys.modules, "nir", None)
    with pytest.raises(MissingExtra, match=r"pip install 'neuroanp\[nir\]'"):
        export.nir(run, path)


def test_the_shell_exports_a_run(run, tmp_path, capsys):
    folder, path = run.save(tmp_path / "run"), tmp_path / "net.nir"
    words = f"export {folder} --to nir --out {path} --no-readout --dialect r=tau/dt"
    assert main(words.split()) == 0 and str(path) in capsys.readouterr().out
    assert "readout" not in nir.read(path).nodes and nir.read(path).nodes["lif"].r[0] > 1
    assert main(["export", str(folder), "--to", "nri"]) == 2
    assert main(["export", str(folder), "--to", "nir"]) == 2
    assert "did you mean 'nir'" in (said := capsys.readouterr().err) and "needs a file: --out FILE" in said
