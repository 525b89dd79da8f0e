"""Learning cores: the integers of a chip, cycle by cycle, and the Verilog that others read."""

from __future__ import annotations

import json
import shutil
import subprocess

import numpy as np
import pytest

from neuroanp.errors import InvalidValue, MissingExtra
from neuroanp.hardware.export import rtl, simulated
from neuroanp.hardware.export.rtl import core as learning_core
from neuroanp.models import ALIF, LIF
from neuroanp.optim import SignSGD
from neuroanp.substrate import FixedPoint
from neuroanp.tasks import TrialArrays
from support.integers import RULES, TASK, chip

CORE = FixedPoint(noise="xorshift")
SHIFTS = FixedPoint(noise="xorshift", constants="shift", weight_bits=8, rounding="floor")


def on_amaranth(made, commands, core):
    """Differences between a core in Amaranth's own simulator and what it has to show, and its weights."""
    from amaranth.sim import Simulator

    wrong, weights = [], {}

    async def bench(ctx):
        for number, name in enumerate(made.network.synapses):
            ctx.set(core.projection, number)
            for address, weight in enumerate(made.integers[name].ravel()):
                ctx.set(core.address, address), ctx.set(core.data, int(weight)), ctx.set(core.write, 1)
                await ctx.tick()
        ctx.set(core.write, 0)
        for code, ports, shown in commands:
            for name, value in ports.items():
                ctx.set(getattr(core, name), value)
            ctx.set(core.go, code)
            await ctx.tick()
            ctx.set(core.go, 0)
            while ctx.get(core.busy):
                await ctx.tick()
            if shown is not None:
                outputs = [ctx.get(getattr(core, f"y{k}")) for k in range(core.n_out)]
                spikes = [ctx.get(core.z) >> k & 1 for k in range(core.hidden)]
                wrong.append((outputs, spikes) != (shown[0].tolist(), shown[1].tolist()))
        for number, name in enumerate(made.network.synapses):
            ctx.set(core.projection, number)
            weights[name] = []
            for address in range(made.integers[name].size):
                ctx.set(core.address, address)
                await ctx.tick()
                weights[name].append(ctx.get(core.read))

    simulator = Simulator(core)
    simulator.add_clock(1e-6)
    simulator.add_testbench(bench)
    simulator.run()
    return wrong, weights


def test_a_core_in_amaranth_s_simulator_equals_the_integers():
    """One trial: outputs and spikes of every step, and all weights after it."""
    from neuroanp.hardware.export.rtl_host import Recorder

    made = chip(hidden=3, numbers=CORE, optimizer=SignSGD(lr=0.05, momentum=0.5))
    core = learning_core(made)
    recorder = Recorder(made.fresh(), core)
    integers = made.on(recorder)
    integers.reward.expected = np.full(TASK.trial(np.random.default_rng(0), 1).steps, 0.5)
    integers.step(0)
    wrong, weights = on_amaranth(made, recorder.commands, core)
    assert len(wrong) == 22 and not any(wrong)
    for name, values in integers.integers.items():
        assert values.ravel().tolist() == weights[name]
        assert (values != made.integers[name]).any()
    assert sum(shown[1].sum() for _, _, shown in recorder.commands if shown is not None) > 2


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [8, 32])
@pytest.mark.parametrize("rule", ["nodes", "delta", "weights", "wandering", "stdp"])
def test_a_core_in_cxxrtl_equals_the_integers_over_twenty_trials(rule, hidden):
    """15 s each."""
    numbers = CORE if hidden == 8 else SHIFTS
    made = chip(hidden=hidden, numbers=numbers, rule=RULES[rule])
    start, core = made.integers, simulated(made)
    for index in range(20):
        assert made.step(index) == core.step(index)
        for name, weights in core.integers.items():
            np.testing.assert_array_equal(weights, made.integers[name])
    assert all((made.integers[name] != start[name]).any() for name in start)


@pytest.mark.slow
@pytest.mark.parametrize("model", [LIF(hidden=6, input_gain=6.0), ALIF(hidden=6, input_gain=6.0, beta=0.4)])
def test_cells_with_a_memory_of_spikes_are_the_integers_too(model):
    made = chip(model=model, numbers=CORE, rule=RULES["stdp"])
    core = simulated(made)
    for index in range(8):
        assert made.step(index) == core.step(index)
    for name, weights in core.integers.items():
        np.testing.assert_array_equal(weights, made.integers[name])
    assert core.test() == made.test() and core.step(8) == made.step(8)


@pytest.mark.slow
def test_verilog_passes_its_test_bench_and_verilator_s_lint(tmp_path):
    folder = rtl(chip(hidden=8, numbers=CORE), tmp_path / "core")
    facts = json.loads((folder / "core.json").read_text())
    assert facts["projections"]["W_rec"] == {"number": 1, "post": 8, "pre": 8}
    ran = 0
    if shutil.which("iverilog"):
        build = ["iverilog", "-g2012", "-o", "bench", "core_tb.v", "core.v"]
        subprocess.run(build, cwd=folder, check=True)
        done = subprocess.run(["vvp", "bench"], cwd=folder, check=True, capture_output=True, text=True)
        assert done.stdout.strip().splitlines()[-1] == "PASSED", done.stdout
        weights = (folder / "weights_after.hex").read_text().splitlines()
        weights[5] = f"{int(weights[5], 16) ^ 1:x}"
        (folder / "weights_after.hex").write_text("\n".join(weights))
        done = subprocess.run(["vvp", "bench"], cwd=folder, check=True, capture_output=True, text=True)
        assert "FAILED: 1 differences" in done.stdout
        ran += 1
    if shutil.which("verilator"):
        lint = ["verilator", "--lint-only", "-Wno-fatal", "--top-module", "core", "core.v"]
        subprocess.run(lint, cwd=folder, check=True, capture_output=True)
        ran += 1
    if not ran:
        pytest.skip("neither iverilog nor verilator is installed")


def test_what_no_core_equals_is_refused_before_a_file_is_written(tmp_path):
    with pytest.raises(InvalidValue, match=r"^rtl\.chip: expected FixedPoint\(noise='xorshift'\)"):
        rtl(chip(), tmp_path / "core")
    task = TrialArrays(inputs=np.full((8, 22, 2), 0.5), targets=np.ones((8, 22, 1)))
    with pytest.raises(InvalidValue, match=r"^rtl\.chip: expected a task whose inputs are 0 or 1"):
        rtl(chip(numbers=CORE, task=task), tmp_path / "core")
    assert not (tmp_path / "core").exists()


def test_a_chip_that_has_drawn_noise_and_a_file_in_the_way_are_refused(tmp_path):
    made = chip(numbers=CORE)
    (tmp_path / "file").write_text("kept")
    with pytest.raises(InvalidValue, match=r"^export\.rtl\.path: expected a folder"):
        rtl(made, tmp_path / "file")
    assert (tmp_path / "file").read_text() == "kept"
    made.step(0)
    with pytest.raises(InvalidValue, match=r"^simulated\.chip: expected a chip without a trial so far"):
        simulated(made)


def test_without_the_extra_it_is_named(monkeypatch):
    import importlib.util

    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if "amaranth" in name else found(name))
    with pytest.raises(MissingExtra, match=r"neuroanp\[rtl\]"):
        learning_core(chip(numbers=CORE))
