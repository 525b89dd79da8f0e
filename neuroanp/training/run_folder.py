"""`RunFolder`: a training on its way and the run that it ends in, so that nothing is lost."""

from __future__ import annotations

import time
import warnings
from pathlib import Path

import numpy as np

from neuroanp import storage
from neuroanp.config.option import option
from neuroanp.config.part import Part
from neuroanp.errors import Diverged, Interrupted, InvalidValue, SaveFailed
from neuroanp.training import checkpoint
from neuroanp.training.checkpoint import FILE
from neuroanp.training.loop import Trainer
from neuroanp.training.run import Run
from neuroanp.training.run_files import CONFIG, RESULT
from neuroanp.training.stopping import Stopping
from neuroanp.training.task import Task


class Checkpoints(Part):
    """When a training writes its state into the run folder.

    Parameters
    ----------
    seconds : float
        Longest time between two.
    updates : int, optional
        Most updates between two.
    """

    seconds: float = option(60.0, "seconds between two checkpoints", least=0)
    updates: int | None = option(None, "updates between two checkpoints", least=1)


class RunFolder:
    """Folder of a training on its way: checkpoints, and at the end the run.

    Each file is written beside its place and renamed, so that a kill leaves the one before.

    Parameters
    ----------
    path : Path or str
        New or empty, or of the training that goes on.
    trainer : Trainer
    checkpoints : Checkpoints

    Attributes
    ----------
    place : Path
        Where the run is at the end: `path`, or another folder where there was no room.

    Raises
    ------
    InvalidValue
        If there is something else in the folder, the checkpoint of another training too, or it can't be
        written.
    """

    def __init__(
        self,
        path: Path | str,
        trainer: Trainer,
        checkpoints: Checkpoints = Checkpoints(),  # noqa: B008
    ) -> None:
        self.path, self.trainer, self.checkpoints = Path(path), trainer, checkpoints
        self.place = self.path
        self._reported = False
        if (self.path / FILE).exists():
            checkpoint.check_goes_on(self.path, trainer)
        else:
            storage.check_folder(self.path)
            with storage.new_folder(self.path) as draft:
                storage.write_json(draft / CONFIG, trainer.config)
                checkpoint.save(draft / FILE, trainer)
        self._note()

    def visit(self, stopping: bool = False) -> None:
        """Write a checkpoint, if one is due or the training stops.

        A disk without room is reported once, and the training goes on.
        """
        updates = self.trainer.state.update - self._update
        due = time.monotonic() - self._time >= self.checkpoints.seconds
        if stopping or due or updates >= (self.checkpoints.updates or np.inf):
            try:
                checkpoint.save(self.path / FILE, self.trainer)
            except SaveFailed as error:
                if not self._reported:
                    warnings.warn(
                        f"no checkpoint could be written, the last one stays: {error}", stacklevel=2
                    )
                self._reported = True
            self._note()

    def _note(self) -> None:
        self._time, self._update = time.monotonic(), self.trainer.state.update

    def run(self, progress: bool = True, figure: bool = True) -> Run:
        """Run after all updates that are left, saved; stopped or diverged it is saved too.

        Parameters
        ----------
        progress : bool
            As in `Trainer.run`.
        figure : bool
            Draw ``figure.png``.

        Raises
        ------
        Diverged, Interrupted
            As `Trainer.run`. After `Interrupted`, `resume` goes on from the last update.
        SaveFailed
            If there is room nowhere.
        """
        with Stopping():
            try:
                run = self.trainer.run(progress, self)
            except Interrupted as error:
                self.finish(error.run, figure)
                raise
            except Diverged as error:
                if error.run is not None:
                    self.finish(error.run, figure)
                (self.path / FILE).unlink(missing_ok=True)
                raise
            self.finish(run, figure)
            if self.place == self.path:
                (self.path / FILE).unlink(missing_ok=True)
        return run

    def finish(self, run: Run, figure: bool = True) -> None:
        """Write a run beside the checkpoint; without room into the first of `storage.fallbacks` with some."""
        try:
            with storage.filled_folder(self.path, last=RESULT) as draft:
                run.write(draft, figure)
        except SaveFailed as error:
            self.place = _elsewhere(run, self.path, error)


def _elsewhere(run: Run, folder: Path, reason: SaveFailed) -> Path:
    for place in storage.fallbacks(folder):
        try:
            return run.save(place)
        except (SaveFailed, InvalidValue):
            continue
    raise reason


def resume(
    folder: Path | str,
    *,
    task: Task | None = None,
    checkpoints: Checkpoints = Checkpoints(),  # noqa: B008
    progress: bool = True,
) -> Run:
    """Run of a training that was stopped, after the updates that were left; it is in its folder then.

    Parameters
    ----------
    folder : Path or str
        Run folder of `neuroanp.train` or ``neuroanp train``.
    task : Task, optional
        The task of the training, where the folder can't hold it: one with arrays or functions in it.
    checkpoints : Checkpoints
    progress : bool
        Show a bar, in a terminal or a notebook.

    Raises
    ------
    DataError
        As `neuroanp.training.checkpoint.load`.
    Diverged, Interrupted
        As `Trainer.run`.
    """
    return RunFolder(folder, checkpoint.load(folder, task), checkpoints).run(progress)
