"""``neuroanp resume``: a training that was stopped goes on."""

from __future__ import annotations

from pathlib import Path

from neuroanp.cli.options import read_options
from neuroanp.cli.words import UsageError, help_asked
from neuroanp.config.option import option
from neuroanp.config.part import Part

TEXT = "Goes on from the checkpoint in a run folder, to the same bits as without the stop."


class Resumption(Part):
    """Options of a training that goes on."""

    checkpoint: float = option(60.0, "seconds between two checkpoints in the run folder", least=0)
    checkpoint_updates: int | None = option(None, "updates between two checkpoints", least=1)
    json: bool = option(False, "print result.json on one line, last, to stdout")
    quiet: bool = option(False, "no progress and no words, only errors")


def resume_command(words: list[str]) -> int:
    """Training that the words after ``neuroanp resume`` ask to go on; returns the exit code."""
    folder, words = run_folder("resume", words)
    options = read_options("neuroanp resume RUN", Resumption(), words, TEXT)
    from neuroanp.cli.saving import run_and_save
    from neuroanp.training import checkpoint
    from neuroanp.training.run_folder import Checkpoints, RunFolder

    often = Checkpoints(seconds=options.checkpoint, updates=options.checkpoint_updates)
    trainer = checkpoint.load(folder)
    return run_and_save(RunFolder(folder, trainer, often), options.quiet, options.json)


def run_folder(command: str, words: list[str]) -> tuple[Path, list[str]]:
    """Run folder, the first word, and the other words; a question for help needs none."""
    if words and not words[0].startswith("-"):
        return Path(words[0]), words[1:]
    if help_asked(words):
        return Path("RUN"), words
    raise UsageError(f"{command} needs a run folder: neuroanp {command} RUN")
