"""``neuroanp export``: a trained network for other simulators and for chips."""

from __future__ import annotations

import importlib

from neuroanp.cli.options import read_options
from neuroanp.cli.resume import run_folder
from neuroanp.cli.words import UsageError, given, help_asked, require_known

TARGETS = {"loihi": "export_loihi.Loihi", "nir": "export_nir.Nir", "rtl": "export_rtl.Rtl"}
"""Class of each target's options, which is imported when it is asked for."""

TEXT = f"""\
usage: neuroanp export RUN --to TARGET --out FILE [options]

Writes a trained network, and what it learned by, for other simulators and for chips.

targets: {", ".join(TARGETS)}; `neuroanp export --to TARGET --help` explains the options of one"""


def export_command(words: list[str]) -> int:
    """Export that the words after ``neuroanp export`` ask for; returns the exit code."""
    folder, words = run_folder("export", words)
    name = given(words, ("to",)).get("to")
    if name is None:
        if help_asked(words):
            print(TEXT)
            return 0
        raise UsageError(f"export needs a target: --to {' or --to '.join(TARGETS)}")
    require_known("--to", [name], TARGETS)
    module, _, options_class = TARGETS[name].partition(".")
    kind = getattr(importlib.import_module(f"neuroanp.cli.{module}"), options_class)
    options = read_options(f"neuroanp export RUN --to {name}", kind(), _without_target(words), kind.text)
    if options.out is None:
        raise UsageError("export needs a file: --out FILE")
    from neuroanp.training.run import Run  # takes long, and help needs none

    print(options.write(Run.load(folder), options.out))
    return 0


def _without_target(words: list[str]) -> list[str]:
    """Words without ``--to`` and its value."""
    place = next((at for at, word in enumerate(words) if word == "--to"), None)
    if place is None:
        return [word for word in words if not word.startswith("--to=")]
    return words[:place] + words[place + 2 :]
