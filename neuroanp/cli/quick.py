"""Answers that need neither Brian2 nor a network: lists, usage, and names that nobody offers."""

from __future__ import annotations

from neuroanp.cli.words import UsageError, given, help_asked, require_known
from neuroanp.config import registry

TRAIN = """\
usage: neuroanp train TASK [options]
       neuroanp train --config FILE [options]
       neuroanp train [TASK] --start RUN [options]

Tasks:
{tasks}

`neuroanp train TASK --help` explains the options, which depend on the task."""

SWEEP = """\
usage: neuroanp sweep TASK --vary FIELD=VALUES [--vary ...] --seeds N --workers W --out FILE [options]
       neuroanp sweep status FILE

Trains every point of a grid, or --points of a sampler, with every seed, and finds the best; the same command
goes on after a stop, without doing anything twice.

  neuroanp sweep copying-memory --vary rule.sigma=0.003,0.01,0.03 --vary optimizer.lr=0.001,0.003 --seeds 5
  neuroanp sweep copying-memory --vary optimizer.lr=log:1e-4:1e-2 --points 9 --report-seeds 100,101

`neuroanp sweep TASK --help` explains the options, which depend on the task."""

VERIFY = """\
usage: neuroanp verify RULE MODEL TASK [options]

Compares what a rule estimates for one trial of an untrained network, over many draws of its noise, with the
gradient that backpropagation through time has (extra compare): cosine for each weight matrix against the
number of samples, bias and variance, also against sigma, hidden size, trial length and discount.

`neuroanp verify RULE MODEL TASK --help` explains the options, which depend on the three."""

HEADROOM = """\
usage: neuroanp headroom TASK [options]

Trains the task's recipe, the readout alone, the recipe without recurrence and BPTT (extra compare), and tests
the recipe's network with its recurrent weights shuffled: table of loss and score, whether learning hidden
weights shows, whether recurrence matters, and how much of the way to BPTT the recipe goes.

  neuroanp headroom delayed-xor --updates 100 --lanes 64 --seeds 5 --out xor.json

`neuroanp headroom TASK --help` explains the options, which are those of `train` but for its run folder."""

LOCALITY = """\
usage: neuroanp locality [RULE [options]]

A line for every rule: local or not, and its costs. With RULE a table: variables of a synapse, variables of
its neurons that it reads, broadcast numbers, bits to store, operations.

`neuroanp locality RULE --help` explains the options, which depend on the rule."""

MOST = 256
"""Worker processes that are begun before all words are read."""
CHOICES = {"model": "model", "rule": "rule", "optimizer": "optimizer", "modulator.baseline": "baseline"}
"""Kinds of the parts of a recipe that an option chooses by name."""


def answer(command: str, words: list[str]) -> str | None:
    """Text that a command line asks for, None where the command itself has to find out.

    Parameters
    ----------
    command : str
    words : list of str
        Those after the command.

    Raises
    ------
    UsageError
        For a command line without what the command needs.
    UnknownName
        For a name that nobody offers, with the nearest that somebody does.
    """
    answers = {
        "train": _train, "sweep": _sweep, "verify": _verify, "locality": _locality, "headroom": _headroom,
    }  # fmt: skip
    if command not in answers:
        return None
    text = answers[command](words)
    if text is None:
        for option, name in given(words, CHOICES).items():
            require_known(f"--{option}", [name], registry.names(CHOICES[option]))
    return text


def begin(command: str, words: list[str]) -> None:
    """Begin what needs no answer first: worker processes of a sweep import Brian2 while this one does."""
    asked = given(words, ("workers", "dask"))
    number = asked.get("workers", "none")
    if command == "sweep" and "dask" not in asked and words[:1] != ["status"] and not help_asked(words):
        from neuroanp.sweeps import workers

        if number == "none" or (number.isdecimal() and 0 < int(number) <= MOST):
            workers.begin(workers.cores() if number == "none" else int(number))


def lines(kind: str) -> list[str]:
    """Name and sentence of each class of a kind, a line each."""
    return [f"  {name:<22}  {text}".rstrip() for name, text in registry.sentences(kind).items()]


def task_name(words: list[str]) -> tuple[str | None, list[str]]:
    """Task and the other words; the task comes first, or is the first word that names one."""
    if words and not words[0].startswith("-"):
        return words[0], words[1:]
    names = registry.names("task")
    place = next((place for place, word in enumerate(words) if word in names), None)
    if place is None:
        return None, words
    return words[place], words[:place] + words[place + 1 :]


def _train(words: list[str]) -> str | None:
    name, words = task_name(words)
    if name is not None:
        require_known("task", [name], registry.names("task"))
    elif not given(words, ("config", "start")):
        if not help_asked(words):
            raise UsageError(f"train needs a task: one of {', '.join(registry.names('task'))}")
        return TRAIN.format(tasks="\n".join(lines("task")))
    return None


def _sweep(words: list[str]) -> str | None:
    if words[:1] == ["status"]:
        return None
    name, words = task_name(words)
    if name is not None:
        require_known("task", [name], registry.names("task"))
    elif not given(words, ("config",)):
        if not help_asked(words):
            raise UsageError(f"sweep needs a task: one of {', '.join(registry.names('task'))}")
        return SWEEP
    return None


def _verify(words: list[str]) -> str | None:
    names = [word for word in words[:3] if not word.startswith("-")]
    if len(names) < 3:
        if help_asked(words):
            return VERIFY
        raise UsageError(f"expected a rule, a model and a task, got {' '.join(names) or 'none'}")
    for kind, name in zip(("rule", "model", "task"), names, strict=True):
        require_known(kind, [name], registry.names(kind))
    return None


def _headroom(words: list[str]) -> str | None:
    name, _ = task_name(words)
    if name is not None:
        require_known("task", [name], registry.names("task"))
    elif help_asked(words):
        return HEADROOM
    else:
        raise UsageError(f"headroom needs a task: one of {', '.join(registry.names('task'))}")
    return None


def _locality(words: list[str]) -> str | None:
    if words[:1] in (["-h"], ["--help"]):
        return LOCALITY
    if words and words[0].startswith("-"):
        raise UsageError(f"expected a rule before the options, got {words[0]!r}")
    for name in words[:1]:
        require_known("rule", [name], registry.names("rule"))
    return None
