"""End of a training in the shell: where its run is, and the exit code."""

from __future__ import annotations

import signal
import sys

from neuroanp import storage
from neuroanp.errors import Diverged, Interrupted, SaveFailed
from neuroanp.training.run import Run
from neuroanp.training.run_folder import RunFolder

DIVERGED, NOT_SAVED, BY_SIGNAL = 1, 74, 128
ADVICE = "in the shell: --optimizer.lr, --optimizer.readout_lr, --decorrelation.rate, --clip.norm"


def run_and_save(folder: RunFolder, quiet: bool, json: bool) -> int:
    """Train to the end, and say where the run is; returns the exit code.

    Parameters
    ----------
    folder : RunFolder
    quiet : bool
        True prints nothing but errors.
    json : bool
        True prints the result on one line, last, to stdout.
    """
    run: Run | None
    code, content = 0, ""
    try:
        run = folder.run(progress=not quiet)
    except Diverged as error:
        _say(f"{error} ({ADVICE})")
        run, code, content = error.run, DIVERGED, "the last good weights are"
    except Interrupted as error:
        by = "by hand" if error.signal == signal.SIGINT else f"by {signal.Signals(error.signal).name}"
        _say(f"stopped {by}; {error.run}")
        run, code, content = error.run, BY_SIGNAL + error.signal, "what was learned is"
    except SaveFailed as error:
        _say(f"the run is lost, as there is no room for it, nor in the usual other places: {error}")
        return NOT_SAVED
    if run is None:
        _say("nothing was saved")
        return code
    if folder.place != folder.path:
        _say(f"there was no room in {folder.path}: the run is in {folder.place}")
        code = code or NOT_SAVED
    elif code:
        _say(f"{content} in {folder.place / 'weights.npz'}")
    if code >= BY_SIGNAL:
        _say(f"to go on: neuroanp resume {folder.path}")
    if not code and not quiet:
        stream = sys.stderr if json else sys.stdout
        print(run, f"figure: {folder.place / 'figure.png'}", sep="\n", file=stream)
    if json:
        print(storage.json_line(run.result))
    return code


def _say(text: str) -> None:
    print(f"neuroanp: {text}", file=sys.stderr)
