"""Shell command ``neuroanp``."""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import io
import os
import signal
import sys
from collections.abc import Iterator

from neuroanp.cli import quick
from neuroanp.cli.words import HelpShown, UsageError, help_asked, import_modules
from neuroanp.config import environment, registry
from neuroanp.errors import NeuroANPError, UnknownName

USAGE = """\
usage: neuroanp COMMAND

Trains recurrent networks, rate and spiking, without gradients: from noise and a scalar.

  neuroanp train TASK [options]   train a network; `neuroanp train TASK --help` explains the options
  neuroanp resume RUN             go on with a training that was stopped, from its last checkpoint
  neuroanp test RUN               a trained network on unseen trials, or on other data
  neuroanp plot RUN               the figure of a run, again
  neuroanp export RUN --to TARGET a trained network for other simulators and for chips
  neuroanp cost RUN               what a trained network would ask of hardware
  neuroanp sweep TASK --vary ...  many trainings with other settings and seeds, side by side
  neuroanp list                   tasks, models, rules, optimizers and baselines
  neuroanp locality [RULE]        what a rule asks of one synapse, of one neuron and of a broadcast
  neuroanp verify RULE MODEL TASK what a rule estimates, beside the gradient
  neuroanp headroom TASK          what there is to learn in hidden weights, and how much of it is learned
  neuroanp reproduce              the paper's experiments and ours, in one HTML report
  neuroanp bench                  what an update costs here, beside JAX, Brian2 alone and bare products
  neuroanp doctor                 versions, compiler, cache, and what to do about what is missing
  neuroanp --version              version of NeuroANP

  --import MODULE, with any command, makes the tasks, models and rules of a module of yours known"""

WITH_OPTIONS = (
    "train", "resume", "test", "plot", "export", "cost", "sweep", "locality", "verify", "headroom",
    "reproduce", "bench",
)  # fmt: skip
"""Commands with options, each in a module of its name."""

STOPPED, WRONG_INPUT, UNREAD = 130, 2, 141

LONGEST = 2000
"""Characters of a message."""


def main(words: list[str] | None = None) -> int:
    """Shell command; returns its exit code.

    0 done, 1 the run diverged or the machine isn't fit, 2 wrong input, 74 no room for the run, 130 stopped by
    hand, 141 nobody reads on, 128 and its number for other signals.
    """
    words = sys.argv[1:] if words is None else words
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # for names that a terminal can't show
    try:
        for word in words:
            if not word.isascii() and word.encode(errors="replace").decode() != word:
                raise UsageError(
                    f"expected words in UTF-8, got {word!r}"
                )  # Brian2 can't be imported with others
        words = import_modules(words)
        code = _command(words[0] if words else "--help", words[1:])
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        # what is still to be written at exit has to go somewhere
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return UNREAD
    except NeuroANPError as error:
        print(f"neuroanp: {_line(str(error))}", file=sys.stderr)
        return WRONG_INPUT
    except MemoryError as error:
        print(f"neuroanp: expected sizes that fit into memory ({_line(str(error))})", file=sys.stderr)
        return WRONG_INPUT
    except OSError as error:
        if error.errno != errno.ENAMETOOLONG:
            raise
        print(f"neuroanp: expected a path that can be, got {_line(str(error.filename))}", file=sys.stderr)
        return WRONG_INPUT
    except KeyboardInterrupt:
        print("neuroanp: stopped by hand", file=sys.stderr)
        return STOPPED


def _line(text: str) -> str:
    """Text on one line of bearable length, that only shows something, whatever a file brought into it."""
    text = " ".join(text.split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."
    return "".join(sign if sign.isprintable() else ascii(sign)[1:-1] for sign in text)


def _command(name: str, words: list[str]) -> int:
    if name in WITH_OPTIONS:
        return _with_options(name, words)
    commands = {"list": _list, "doctor": _doctor, "--version": _version}
    if name in ("-h", "--help", "help") or (name in commands and words in (["-h"], ["--help"])):
        print(USAGE)
        return 0
    if name not in commands:
        raise UnknownName("command", name, [*WITH_OPTIONS, "list", "doctor"])
    if words:
        raise UsageError(f"{name} takes no options, got {words[0]!r}")
    return commands[name]()


def _with_options(name: str, words: list[str]) -> int:
    text = quick.answer(name, words)
    if text is not None:
        print(text)
        return 0
    quick.begin(name, words)
    handler = signal.getsignal(signal.SIGINT)
    with _without_collection():
        module = importlib.import_module(f"neuroanp.cli.{name}")
        if not help_asked(words):
            importlib.import_module("neuroanp.training.run")  # with Brian2, whose handler is replaced here
    signal.signal(signal.SIGINT, handler)  # Brian2's would end one simulation instead of the command
    try:
        return int(getattr(module, f"{name}_command")(words))
    except HelpShown:
        return 0


@contextlib.contextmanager
def _without_collection() -> Iterator[None]:
    """Time of the first imports, in which no garbage is looked for; what they leave isn't looked at again."""
    if "brian2" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def _list() -> int:
    for kind in registry.GROUPS:
        print(f"{kind}s:")
        print(*quick.lines(kind), sep="\n")
    return 0


def _doctor() -> int:
    from neuroanp.cli.doctor import doctor_command

    return doctor_command()


def _version() -> int:
    version = environment.version("neuroanp")
    if version is None:
        raise UsageError("neuroanp is not installed, so it has no version: pip install -e .")
    print(version)
    return 0


if __name__ == "__main__":
    sys.exit(main())
