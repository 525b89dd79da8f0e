"""The README: short, its code runs, its figures are those of the stored evidence."""

import dataclasses
import json
import re
import statistics
import tomllib
from pathlib import Path

import pytest

from neuroanp.models import TanhRNN
from neuroanp.storage import read_json
from neuroanp.tasks import CopyingMemory
from neuroanp.training.train import train

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
EVIDENCE = ROOT / "notebooks" / "evidence" / "paper.json"
ROWS = {
    "copying, alphabet 6, length 5, delay 5": "copying-medium",
    "Mackey-Glass, 15 steps ahead": "mackey-glass",
    "weather, 24 h ahead": "weather-24",
    "delayed exclusive or, spiking, % right": "delayed-xor",
}
COLUMNS = (("ours",), ("response", "e-prop"), ("bptt",), ("readout",))
"""Methods of a column; a task has one of them."""


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.DOTALL | re.MULTILINE)


def test_it_stays_short():
    prose = re.sub(r"^```.*?^```", "", README, flags=re.DOTALL | re.MULTILINE)
    assert len(README.splitlines()) <= 110 and len(prose.split()) <= 900


def test_python_runs(tmp_path, monkeypatch, capsys):
    """The first example, with two updates in place of as many as it takes to learn."""
    monkeypatch.chdir(tmp_path)
    code, shortened = re.subn(r"updates=\d+", "updates=2", blocks("python")[0])
    assert shortened == 1
    names = {}
    exec(compile(code, "README.md", "exec"), names)
    assert len(names["run"].history["loss"]) == 2
    assert str(names["run"]) == capsys.readouterr().out.strip()
    shown = re.search(r"^    (mackey-glass: test loss (\S+) .* (\S+) s\.)$", README, re.MULTILINE)
    learned = {"test_loss": float(shown[2]), "score": None, "beats_trivial": True}
    learned |= {"updates": 500, "seconds": float(shown[3])}
    run = dataclasses.replace(names["run"], config={}, result=names["run"].result | learned)
    assert str(run) == shown[1]


def test_its_rule_learns():
    names = {}
    exec(compile(blocks("python")[1], "README.md", "exec"), names)
    task = CopyingMemory(alphabet=4, length=2, delay=1, evaluation_trials=50)
    rule = names["SignPerturbation"](sigma=0.01)
    run = train(TanhRNN(hidden=16), task, rule=rule, lanes=16, updates=60, progress=False)
    assert run.history["loss"][-1] < 0.7 * run.history["loss"][0]


def shown_rows():
    lines = [line for line in README.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in cells}


def spread(runs, label):
    losses = [run["test_loss"] for run in runs]
    mean, low, high = (f"{value:#.2g}" for value in (statistics.fmean(losses), min(losses), max(losses)))
    right = statistics.fmean(run["score"] for run in runs)
    return f"{mean} ({low} to {high})" + f", {100 * right:.0f} %" * label.endswith("% right")


@pytest.mark.parametrize("label", ROWS)
def test_figures_are_those_of_the_stored_runs(label):
    runs = [run for run in read_json(EVIDENCE)["runs"] if run["experiment"] == ROWS[label]]
    for cell, methods in zip(shown_rows()[label], COLUMNS, strict=False):
        of_method = [run for run in runs if run["method"] in methods]
        assert sorted(run["seed"] for run in of_method) == [100, 101, 102, 103, 104]
        assert cell == spread(of_method, label)
    name, level = min(runs[0]["trivial"].items(), key=lambda item: item[1])
    assert shown_rows()[label][-1] == f"{level:#.2g}, {name}"


def test_weather_by_default_is_as_stored():
    runs = read_json(EVIDENCE.parent / "weather.json")["runs"]
    assert sorted({run["seed"] for run in runs}) == [100, 101, 102, 103, 104] and len(runs) == 15
    shown = [
        [f"{statistics.fmean(r[name] for r in runs if r['ahead'] == ahead):#.2g}" for ahead in (1, 24, 48)]
        for name in ("test_loss", "linear_72_h")
    ]
    found = re.findall(r"(0\.\d+), (0\.\d+) and (0\.\d+)\b", README)
    assert [list(each) for each in found] == shown


def test_figures_of_spiking_digits_and_of_least_squares_are_as_stored():
    def mean(name, task, arm, what):
        runs = [
            r
            for r in read_json(EVIDENCE.parent / f"{name}.json")["runs"]
            if (r["task"], r["arm"]) == (task, arm)
        ]
        assert sorted(run["seed"] for run in runs) == [100, 101, 102, 103, 104]
        return statistics.fmean(run[what] for run in runs)

    shown = re.search(r"(\d+) % of digits \(readout alone (\d+) %, BPTT (\d+) %\)", README).groups()
    right = [mean("spiking", "digits", arm, "score") for arm in ("learned", "readout", "bptt")]
    assert list(shown) == [f"{100 * value:.0f}" for value in right]
    solved = mean("force", "mackey-glass, tanh", "least squares", "loss")
    assert f"Solved by least squares, the readout alone has {solved:.2g}" in re.sub(r"\s+", " ", README)


def test_all_rows_are_checked():
    assert set(shown_rows()) == set(ROWS)
    stored = EVIDENCE.read_text()
    assert len(stored) < 1_000_000 and '"/' not in stored
    assert (EVIDENCE.parent / "picture.png").stat().st_size < 200_000


def test_links_lead_somewhere():
    links = re.findall(r"\]\((?!http)([^)]+)\)", README)
    assert len(links) > 10 and all((ROOT / link).exists() for link in links)


def test_first_commands_install_train_and_test():
    train, test = blocks("bash")[:2]
    assert "pip install -e" in train and "neuroanp train" in train
    assert "pip install -e" in test and test.rstrip().endswith("pytest")
    assert len(train.splitlines()) == len(test.splitlines()) == 1


def test_entry_point_groups_are_the_real_ones():
    text = json.loads((ROOT / "notebooks" / "2_own_rule.ipynb").read_text())["cells"][-1]["source"]
    shown = tomllib.loads(re.search(r"```toml\n(.*?)```", "".join(text), re.DOTALL)[1])
    known = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    assert set(shown["project"]["entry-points"]) <= set(known)
