"""Engine `jax` on an accelerator, beside BPTT there and our compiled engine on one core: accelerator.json.

``python notebooks/evidence/accelerator.py [--quick]`` takes under 8 minutes on a GPU; ``--quick`` is the same
with small sizes, for any machine. It needs the extra ``compare``; a machine without a network takes NeuroANP,
Brian2 and what else it lacks from wheels: ``pip install --no-index --find-links FOLDER neuroanp[compare]``.

Each measurement has a process of its own. Ratios hold within one machine; products of float32 are in full
precision, unless a row says fast.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

PATH = Path(__file__).with_name("accelerator.json")
UNITS, LANES, STEPS, ROUNDS = 1000, 4096, 210, 5
LONG = {"lanes": 256, "steps": (10_000, 100_000)}
QUICK = {"units": 50, "lanes": 32, "steps": 50, "long": (200, 1000)}


def timed(update, rounds=ROUNDS):
    """Seconds of each of some calls, after two that compile."""
    update(), update()
    seconds = []
    for _ in range(rounds):
        start = time.perf_counter()
        update()
        seconds.append(time.perf_counter() - start)
    return seconds


def ours(units, lanes, steps, **settings):
    """Update of mirrored node perturbation with sign noise, of a tanh network that copies."""
    from neuroanp.bench import ours

    settings = {"engine": "jax", "distribution": "sign", **settings}
    return ours.stepping(ours.training(units, ours.copying(steps, lanes), "float32", **settings))


def bptt(units, lanes, steps, gathered=True):
    """Update of BPTT with Adam, of the same network."""
    from neuroanp.bench import ours
    from neuroanp.bench.peers.jax import JaxUpdate

    trial = ours.copying(steps, lanes)
    sizes = trial.inputs.shape[2] + 1, trial.targets.shape[2]
    weights = ours.model(units).start_weights(ours.generator(), *sizes)
    return JaxUpdate(weights, *ours.arrays(trial, "float32"), ours.LR, gathered)


def rates(units, lanes, steps):
    """Seconds an update of a rate network: ours, with fast products, and BPTT both ways."""
    import jax

    from neuroanp.training.jax_options import Jax

    yield {"what": "ours", "seconds": timed(ours(units, lanes, steps))}
    fast = ours(units, lanes, steps, jax=Jax(products="fast"))
    yield {"what": "ours, fast products", "seconds": timed(fast)}
    with jax.default_matmul_precision("highest"):
        for gathered in (True, False):
            what = "BPTT + Adam" + (", gradient gathered by hand" if gathered else "")
            yield {"what": what, "seconds": timed(bptt(units, lanes, steps, gathered))}


def one_core(units, lanes, steps):
    """Seconds an update of the same network in the compiled engine, on one core."""
    from threadpoolctl import threadpool_limits

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with threadpool_limits(1):
        yield {"what": "compiled engine", "seconds": timed(ours(units, lanes, steps, engine="compiled"))}


def spiking(units, lanes, steps):
    """Seconds an update of LIF cells: one noisy pass, compared with the other lanes of an input."""
    import itertools

    from brian2 import ms

    import neuroanp as nap
    from neuroanp.models import LIF
    from neuroanp.reward import Modulator, OtherLanes
    from neuroanp.rules import NodePerturbation
    from neuroanp.tasks import PatternGeneration

    recipe = nap.Recipe(
        model=LIF(hidden=units, input_gain=2.0),
        rule=NodePerturbation(sigma=0.1, hold=10, readout="delta", distribution="sign"),
        modulator=Modulator(discount=0.98, baseline=OtherLanes()), decorrelation=None, lanes=lanes,
        updates=1000,
    )  # fmt: skip
    task = PatternGeneration(duration=steps * ms)
    made = nap.Trainer(task, recipe, engine="jax", dtype="float32", tests=0)
    trial, counts = made.trial(0), itertools.count()
    yield {"what": "LIF", "plan": str(made.plan), "seconds": timed(lambda: made.learn(trial, next(counts)))}


def memory(way, units, lanes, steps):
    """Peak bytes of the device in an update of a long trial, ours replayed or BPTT; and its seconds."""
    import jax

    from neuroanp.training.jax_options import Jax

    sizes = units, lanes, steps
    with jax.default_matmul_precision("highest"):
        update = bptt(*sizes) if way == "bptt" else ours(*sizes, jax=Jax(memory=way))
        start = time.perf_counter()
        try:
            update()
        except (RuntimeError, MemoryError) as error:
            yield {"what": way, "steps": steps, "failed": str(error).partition("\n")[0]}
            return
    seconds = time.perf_counter() - start
    statistics = jax.devices()[0].memory_stats() or {}
    from neuroanp.bench.peak import resident

    peak = statistics.get("peak_bytes_in_use", resident() * 2**20)
    yield {"what": way, "steps": steps, "GiB": peak / 2**30, "seconds with compilation": seconds}


def agreement(units, updates):
    """Distance of weights after some updates in float32 from the compiled engine's, and of activity."""
    import numpy as np

    import neuroanp as nap
    from neuroanp.models import ALIF, LeakyTanhRNN, TanhRNN
    from neuroanp.reward import Modulator, OtherLanes
    from neuroanp.rules import NodePerturbation
    from neuroanp.tasks import CopyingMemory, PatternGeneration
    from neuroanp.training.jax_options import Jax

    held = NodePerturbation(sigma=0.3, hold=10, readout="delta")
    one_pass = Modulator(discount=0.98, baseline=OtherLanes())
    rate = nap.Recipe(model=TanhRNN(hidden=units), lanes=16, updates=updates)
    cells = rate.replace(model=ALIF(hidden=units), rule=held, modulator=one_pass, decorrelation=None)
    copying = CopyingMemory(evaluation_trials=64)
    cases = {
        "tanh, decorrelated": (copying, rate),
        "leaky tanh": (copying, rate.replace(model=LeakyTanhRNN(hidden=units))),
        "alif": (PatternGeneration(), cells),
    }
    for name, (task, recipe) in cases.items():
        exact = nap.train(task=task, **vars(recipe), dtype="float64", tests=0, progress=False)
        for products in ("full", "fast"):
            settings = {"engine": "jax", "dtype": "float32", "jax": Jax(products=products)}
            run = nap.train(task=task, **vars(recipe), **settings, tests=0, progress=False)
            off = {
                k: float(np.abs(run.weights[k] - exact.weights[k]).max()) for k in ("W_in", "W_rec", "W_out")
            }
            losses = [float(one.result["test_loss"]) for one in (run, exact)]
            yield {"what": name, "products": products, "updates": updates, "off": off, "test losses": losses}


def learning(units, updates):
    """Test losses of decorrelated tanh networks that learn with full and with fast products, by seed."""
    import neuroanp as nap
    from neuroanp.models import TanhRNN
    from neuroanp.tasks import CopyingMemory
    from neuroanp.training.jax_options import Jax

    for products in ("full", "fast"):
        settings = {"engine": "jax", "dtype": "float32", "jax": Jax(products=products), "tests": 0}
        changes = {"model": TanhRNN(hidden=units), "lanes": 64, "updates": updates, "progress": False}
        runs = [nap.train(task=CopyingMemory(), **changes, **settings, seed=seed) for seed in (100, 101, 102)]
        losses = [float(run.result["test_loss"]) for run in runs]
        yield {"what": "copying", "products": products, "updates": updates, "test losses": losses}


def sections(quick):
    """Measurements, by name: function and arguments."""
    units, lanes, steps = (QUICK[k] for k in ("units", "lanes", "steps")) if quick else (UNITS, LANES, STEPS)
    long, few = (QUICK["long"], lanes) if quick else (LONG["steps"], LONG["lanes"])
    made = {
        "rates": (rates, units, lanes, steps),
        "one core": (one_core, units, min(32, lanes), steps),
        "spiking": (spiking, units, lanes, 200 if quick else 1000),
        "agreement": (agreement, 30 if quick else 100, 20),
        "learning": (learning, 30 if quick else 100, 20 if quick else 500),
    }
    for way, count in [("bptt", long[0]), *(("replay", count) for count in long)]:
        made[f"memory, {way}, {count}"] = (memory, way, units, few, count)
    return made


def measured(name, quick):
    """Records of one measurement, made in a process of its own."""
    words = [sys.executable, __file__, "--section", name, *(["--quick"] if quick else [])]
    flags = {"XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    done = subprocess.run(words, env=os.environ | flags, capture_output=True, text=True)
    rows = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode:
        rows.append({"failed": (done.stderr.strip().splitlines() or ["no reason"])[-1]})
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="small sizes; the file isn't written")
    parser.add_argument("--section", help="one measurement, in this process")
    options = parser.parse_args()
    made = sections(options.quick)
    if options.section:
        function, *arguments = made[options.section]
        for row in function(*arguments):
            print(json.dumps(row), flush=True)
        return
    import jax

    from neuroanp.config import environment

    device = jax.devices()[0]
    report = {
        "device": f"{len(jax.devices())} {device.device_kind}", "processor": environment.processor(),
        "versions": environment.versions("neuroanp", "brian2", "numpy", "jax", "jaxlib"),
    }  # fmt: skip
    print(json.dumps(report))
    for name in made:
        report[name] = measured(name, options.quick)
        for row in report[name]:
            print(f"{name}: {json.dumps(row)}", flush=True)
    if not options.quick:
        PATH.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
