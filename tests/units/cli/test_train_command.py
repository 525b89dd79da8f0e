from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from brian2 import ms

from neuroanp.cli.main import main
from neuroanp.optim import SGD, Adam
from neuroanp.optim.decorrelation import Decorrelation
from neuroanp.training.result import RESULT_KEYS
from neuroanp.training.run import Run
from support.toys import DeepNet, Echo, Nodes, Synapses


def only_run() -> Path:
    (folder,) = Path("runs").iterdir()
    return folder


def test_the_recipe_of_the_task_is_trained(training, capsys):
    assert main(["train", "toy-echo"]) == 0
    (asked,) = training.asked
    assert asked["task"] == Echo()
    assert asked["recipe"].rule == Nodes(sigma=0.05)
    assert asked["recipe"].decorrelation == Decorrelation(rate=0.02)
    assert (asked["recipe"].updates, asked["recipe"].lanes, asked["engine"]) == (30, 64, "auto")
    said = capsys.readouterr().out.splitlines()
    assert said[0].startswith("toy-echo: fraction of symbols right 0.95")
    assert said[1] == f"figure: {only_run() / 'figure.png'}"
    assert re.fullmatch(r"toy-echo-0-\d{8}-\d{6}-\d{3}", only_run().name)


def test_options_reach_the_dataclasses(training):
    words = "--task.length 3 --task.kind hard --model.hidden=7 --rule.sigma 0.01 --no-rule.mirrored --seed 4"
    words += " --rule.reward.discount 0.5 --decorrelation.rate 0.3 --optimizer.lr 1"
    words += " --lanes 2 --updates 5 --dtype float32"
    assert main(["train", "toy-echo", *words.split(), "--task.gap", "0.1 second", "--model.low=-80 mV"]) == 0
    (asked,) = training.asked
    assert asked["task"] == Echo(length=3, kind="hard", gap=100 * ms)
    assert (asked["recipe"].model.hidden, float(asked["recipe"].model.low)) == (7, -0.08)
    rule = asked["recipe"].rule
    assert (rule.sigma, rule.mirrored, rule.reward.discount) == (0.01, False, 0.5)
    assert (asked["recipe"].decorrelation.rate, asked["recipe"].optimizer.lr) == (0.3, 1.0)
    assert (asked["seed"], asked["recipe"].lanes, asked["recipe"].updates, asked["dtype"]) == (
        4,
        2,
        5,
        "float32",
    )


def test_the_task_may_come_after_options(training):
    assert main(["train", "--seed", "3", "toy-echo", "--lanes", "2"]) == 0
    assert (training.asked[0]["seed"], training.asked[0]["recipe"].lanes) == (3, 2)


def test_another_part_takes_over_what_it_shares(training):
    assert main(["train", "toy-echo", "--rule", "synapses", "--model", "deep-net", "--optimizer", "sgd"]) == 0
    (asked,) = training.asked
    assert asked["recipe"].rule == Synapses(sigma=0.05)
    assert asked["recipe"].model == DeepNet(hidden=100)
    assert asked["recipe"].optimizer == SGD(lr=0.002, anneal=Adam().anneal)


def test_options_of_the_part_that_is_not_chosen_are_unknown(training, capsys):
    assert main(["train", "toy-echo", "--rule", "synapses", "--rule.mirrored"]) == 2
    assert "--rule.mirrored" in capsys.readouterr().err


def test_decorrelation_is_switched_on_and_off(training):
    main(["train", "toy-echo", "--preset", "published"])
    main(["train", "toy-echo", "--preset", "published", "--decorrelation.rate", "0.5"])
    main(["train", "toy-echo", "--no-decorrelation"])
    assert [asked["recipe"].decorrelation for asked in training.asked] == [
        None,
        Decorrelation(rate=0.5),
        None,
    ]
    assert main(["train", "toy-echo", "--no-decorrelation", "--decorrelation.rate", "0.5"]) == 2


def test_data_is_short_for_the_field_of_the_task(training, tmp_path):
    (tmp_path / "a.csv").write_text("")
    assert main(["train", "toy-echo", "--data", "a.csv"]) == 0
    assert training.asked[0]["task"].data == str(tmp_path / "a.csv")


def test_json_is_one_line_and_last_on_standard_output(training, capsys):
    assert main(["train", "toy-echo", "--json", "--out", "here"]) == 0
    printed = capsys.readouterr()
    assert printed.out.count("\n") == 1
    assert set(json.loads(printed.out)) == set(RESULT_KEYS)
    assert "figure: here" in printed.err


def test_quiet_says_nothing(training, capsys):
    assert main(["train", "toy-echo", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")
    assert training.asked[0]["progress"] is False


def test_the_config_of_a_run_repeats_it(training):
    assert (
        main(
            ["train", "toy-echo", "--seed", "9", "--task.gap", "7 ms", "--preset", "published", "--out", "a"]
        )
        == 0
    )
    assert main(["train", "--config", "a/config.json", "--out", "b"]) == 0
    assert main(["train", "toy-echo", "--config", "a/config.json", "--seed", "10", "--out", "c"]) == 0
    first, second, third = training.asked
    assert second == first
    assert third == first | {"seed": 10}
    assert Run.load("a").config == Run.load("b").config


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["toy-ecko"], "task: expected one of toy-echo, toy-wait, got 'toy-ecko'; did you mean 'toy-echo'?"),
        ([], "train needs a task: one of toy-echo, toy-wait"),
        (["toy-echo", "--task.lenght", "3"], "unknown option --task.lenght; did you mean --task.length?"),
        (["toy-echo", "--task.len", "3"], "unknown option --task.len; did you mean --task.length?"),
        (["toy-echo", "--xyz=3"], "unknown option --xyz; see --help"),
        (
            ["toy-echo", "--rule", "node"],
            "--rule: expected one of nodes, synapses, got 'node'; did you mean 'nodes'?",
        ),
        (["toy-echo", "--model", "x"], "--model: expected one of net, deep-net, got 'x'"),
        (["toy-echo", "--optimizer", "adamm"], "--optimizer: expected one of"),
        (
            ["toy-echo", "--engine", "compild"],
            "--engine: expected one of auto, compiled, runtime, jax, got compild",
        ),
        (
            ["toy-echo", "--preset", "bst"],
            "--preset: expected one of best, published, got 'bst'; did you mean 'best'?",
        ),
        (["toy-echo", "--task.length", "three"], "Echo.length: expected a whole number, got three"),
        (["toy-echo", "--task.length", "0"], "Echo.length: expected a whole number of 1 or more, got 0"),
        (
            ["toy-echo", "--task.gap", "3 mV"],
            "Echo.gap: expected a quantity in ms, such as '20 ms', got 3 mV",
        ),
        (["toy-echo", "--rule.sigma", "-1"], "Nodes.sigma: expected a number above 0, got -1.0"),
        (["toy-echo", "--seed", "x"], "--seed: expected a whole number, got x"),
        (["toy-echo", "--seed"], "argument --seed: expected one argument"),
        (["toy-echo", "toy-wait"], "expected options after the task, got 'toy-wait'"),
        (["toy-wait", "--data", "x"], "unknown option --data"),
        (["toy-echo", "--data", "missing.csv"], "{here}/missing.csv: no such file"),
        (["--config", "missing.json"], "missing.json: No such file or directory"),
        (["toy-echo", "--preset", "best", "--config", "x"], "--config gives all settings"),
        (["toy-echo", "--out", "/proc/nowhere/run"], "run folder: expected a place that can be written"),
        (["toy-echo", "--out", "file/run"], "run folder: expected a place that can be written"),
        (
            ["toy-echo", "--out", "file"],
            "run folder: expected a path that is new or an empty folder, got file",
        ),
        (
            ["toy-echo", "--out", "full"],
            "run folder: expected a path that is new or an empty folder, got full",
        ),
    ],
)
def test_wrong_input_is_one_line_before_anything_is_simulated(training, capsys, words, said):
    Path("file").write_text("")
    Path("full").mkdir()
    Path("full/notes").write_text("")
    assert main(["train", *words]) == 2
    printed = capsys.readouterr()
    assert printed.err.startswith(f"neuroanp: {said.format(here=Path.cwd())}")
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert training.asked == []
    assert sorted(path.name for path in Path().rglob("*")) == ["file", "full", "notes"]


def test_a_run_that_diverges_keeps_the_last_good_weights(training, capsys):
    training.outcome = "diverged"
    assert main(["train", "toy-echo", "--out", "here", "--json"]) == 1
    printed = capsys.readouterr()
    said = printed.err.splitlines()
    assert said[0] == (
        "neuroanp: update 7: the loss is not finite; try lower learning rates "
        "(in the shell: --optimizer.lr, --optimizer.readout_lr, --decorrelation.rate, --clip.norm)"
    )
    assert said[1] == "neuroanp: the last good weights are in here/weights.npz"
    assert json.loads(printed.out)["test_loss"] is None
    assert "stopped after 7 of 30 updates" in str(Run.load("here"))


def test_a_run_that_is_stopped_is_kept(training, capsys):
    training.outcome = "stopped"
    assert main(["train", "toy-echo", "--out", "here"]) == 130
    said = capsys.readouterr().err
    assert said.startswith("neuroanp: stopped by hand; toy-echo: not tested")
    assert said.endswith(
        "neuroanp: what was learned is in here/weights.npz\nneuroanp: to go on: neuroanp resume here\n"
    )
    assert Run.load("here").weights


def test_a_run_that_is_stopped_before_it_learned_leaves_its_start(training, capsys):
    training.outcome = "interrupted"
    assert main(["train", "toy-echo"]) == 130
    assert capsys.readouterr().err == "neuroanp: stopped by hand\n"
    assert {file.name for file in only_run().iterdir()} == {"config.json", "checkpoint.npz"}


def test_help_of_a_task_explains_each_option_with_unit_and_default(training, capsys):
    assert main(["train", "toy-echo", "--help"]) == 0
    said = " ".join(capsys.readouterr().out.split())
    for words in (
        "Say it again after a while.",
        "--task.length N symbols to remember, 100 % of them (default: 5)",
        "--task.gap QUANTITY time to wait [ms] (default: 30 ms)",
        "--task.kind soft|hard kind of cue (default: soft)",
        "--task.data TEXT|none file to read (default: none)",
        "--rule.sigma X std of the noise (default: 0.05)",
        "--rule.mirrored, --no-rule.mirrored",
        "--rule.reward.discount X discount of the return (default: 1)",
        "--model.tau QUANTITY time constant [ms] (default: 20 ms)",
        "--decorrelation.rate X",
        "--updates N weight updates to make (default: 30)",
        "--data PATH|none short for --task.data",
        "another rule: nodes, synapses",
    ):
        assert words in said, words
    assert training.asked == []


def test_help_shows_the_defaults_of_what_is_chosen(training, capsys):
    assert main(["train", "toy-wait", "--preset", "published", "--rule", "synapses", "--help"]) == 0
    said = capsys.readouterr().out
    assert "--rule.mirrored" not in said
    assert "--data" not in said
    assert "train without decorrelation (off unless one of its options is given)" in said


def test_help_without_a_task_lists_the_tasks(training, capsys):
    assert main(["train", "--help"]) == 0
    assert "\n  toy-echo\n  toy-wait\n" in capsys.readouterr().out


def test_list_has_a_line_for_each(training, capsys):
    assert main(["list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "tasks:"
    assert {"  toy-echo", "  net", "  synapses"} < set(said)
    assert "  sgd                     Gradient descent, with or without momentum." in said


def test_unknown_commands_are_refused(capsys):
    assert main(["trian"]) == 2
    assert "did you mean 'train'?" in capsys.readouterr().err
    assert main(["list", "--all"]) == 2


def test_ctrl_c_is_not_left_to_brian2():
    code = (
        "import signal, sys; before = signal.getsignal(signal.SIGINT); from neuroanp.cli.main import main; "
        "main(['resume', 'nowhere']); "
        "print('brian2' in sys.modules, signal.getsignal(signal.SIGINT) is before)"
    )
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=env)
    assert said.stdout.endswith("True True\n")


@pytest.mark.parametrize("words", [["list"], ["--help"]])
def test_a_reader_that_leaves_early_gets_no_traceback(words):
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "neuroanp", *words]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (141, "")
