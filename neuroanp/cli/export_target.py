"""`Target`: options of an export, and what it writes."""

from __future__ import annotations

import abc
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from neuroanp.config.option import option
from neuroanp.config.part import Part

if TYPE_CHECKING:
    from neuroanp.training.run import Run


class Target(Part):
    """Options of an export."""

    text: ClassVar[str]
    out: Path | None = option(None, "file to write")

    @abc.abstractmethod
    def write(self, run: Run, path: Path) -> str:
        """Line that says what was written for a run."""
