"""Strange configs and words of the shell: one clear line or a right run, no traceback, nothing executed."""

import json
import math

from hypothesis import strategies as st

from neuroanp.config import document
from neuroanp.models import LIF
from neuroanp.optim import SGD
from neuroanp.training.recipe import Recipe
from support.copying import COPYING, RECIPE
from support.mutations import ADDRESSES, EXAMPLES, explore, nothing_executed, shell, texts


def configs():
    others = {"seed": 3, "engine": "runtime", "dtype": "float32", "tests": 2}
    spiking = Recipe(model=LIF(hidden=5), optimizer=SGD(lr=0.1))
    settings = [document.describe(task=COPYING, recipe=each, **others) for each in (RECIPE, spiking)]
    return json.loads(json.dumps(settings))


def kept(given, stored):
    """True if all that a file says is in what became of it."""
    if isinstance(given, dict):
        return isinstance(stored, dict) and all(
            name in stored and kept(value, stored[name]) for name, value in given.items()
        )
    if isinstance(given, list):
        return isinstance(stored, list) and len(given) == len(stored) and all(map(kept, given, stored))
    if isinstance(given, float) and not math.isfinite(given):
        return stored == str(given)
    if isinstance(given, str) and isinstance(stored, str) and given != stored:
        return given.split() == stored.split()
    return given == stored and isinstance(given, bool) == isinstance(stored, bool)


@EXAMPLES
def test_a_config_is_refused_or_all_of_it_counts(examples, trained, tmp_path):
    def prop(content):
        (tmp_path / "config.json").write_bytes(content)
        trained.asked.clear()
        with nothing_executed():
            code, _, _ = shell("train", "--config", "config.json", "--quiet", "--out", "run")
        assert (code == 0) == (len(trained.asked) == 1)
        for settings in trained.asked:
            described = document.describe(**settings)
            given = json.loads(content)
            left_out = {name: given.pop(name, None) for name in document.NOT_SETTINGS}
            assert kept(given, described), (left_out, given)
            assert document.restore(json.loads(json.dumps(described))) == settings

    for address in ADDRESSES:
        prop(json.dumps(configs()[0] | {"recipe": {"class": address}}).encode())
    explore(examples, prop, content=texts(configs()))


OPTIONS = (
    "--updates", "--lanes", "--tests", "--seed", "--engine", "--dtype", "--task.delay", "--delay",
    "--task.length", "--model", "--model.hidden", "--model.tau", "--model.bias", "--no-model.bias",
    "--rule", "--rule.sigma", "--optimizer", "--optimizer.lr", "--decorrelation.rate", "--no-decorrelation",
    "--clip.norm", "--bounds", "--modulator.baseline", "--preset", "--config", "--start", "--data",
    "--json", "--quiet", "--checkpoint", "--checkpoint-updates", "--checkpoint_updates", "--readout_start",
    "--import", "--help", "-h", "--", "-x", "--task", "--out", "--updaets",
)  # fmt: skip
WORDS = (
    "0", "1", "-1", "1e3", "nan", "inf", "none", "true", "lif", "tanh", "adam", "sgd", "20 ms", "-20 ms",
    "20", "node-perturbation", "weight-perturbation", "runtime", "auto", "best", "published", "", " ",
    "9" * 400, "99999999999", "own.csv", ".", "/", "no/such", "x" * 300, "os", "\x1b[31m", "%s%(default)s",
    "@own.csv", "ö", "linear", "other-pass", "float32", "1_000", "1;2", "$(x)", "\udcff", "'", "-",
)  # fmt: skip


@EXAMPLES
def test_words_of_the_shell(examples, trained, tmp_path):
    (tmp_path / "own.csv").write_text("a,b\n1,2\n")
    word = st.sampled_from(OPTIONS) | st.sampled_from(WORDS) | st.text(max_size=5)
    pair = st.tuples(st.sampled_from(OPTIONS), st.sampled_from(WORDS))
    parts = pair.map("=".join).map(lambda text: [text]) | pair.map(list) | word.map(lambda text: [text])
    command = st.sampled_from(
        [["train", "copying-memory"]] * 5 + [["train"], ["test"], ["plot"], ["resume"], ["list"], []]
    )

    def prop(command, parts):
        shell(*command, *(word for part in parts for word in part))
        assert {path.name for path in tmp_path.iterdir()} <= {"own.csv", "trap.py", "__pycache__"}

    explore(examples, prop, command=command, parts=st.lists(parts, max_size=5))
